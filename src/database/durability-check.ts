import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Log } from '../runtime/log.js';
import { DataSource } from 'typeorm';
import { readPrepared } from './prepared-statement.js';

const SWITCHED_OFF = `
  SELECT name FROM pg_settings
  WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off' ORDER BY name`;

/** Warns when PostgreSQL is set so that it may lose what it has confirmed: an order that was answered 201 is then not on disk. */
@Injectable()
export class DurabilityCheck implements OnApplicationBootstrap {
  private readonly logger = new Log(DurabilityCheck.name);

  constructor(private readonly dataSource: DataSource) {}

  async onApplicationBootstrap(): Promise<void> {
    try {
      const settings = await readPrepared<{ name: string }>(this.dataSource, { text: SWITCHED_OFF });
      for (const { name } of settings) {
        this.logger.warn('PostgreSQL can lose confirmed orders in a crash: a setting of it must be on', {
          setting: name,
        });
      }
    } catch (error) {
      this.logger.warn('PostgreSQL did not tell whether it keeps confirmed orders in a crash', { error });
    }
  }
}
