import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { readPrepared } from './prepared-statement.js';

const SWITCHED_OFF = `
  SELECT name FROM pg_settings
  WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off' ORDER BY name`;

/** Warns when PostgreSQL is set so that it may lose what it has confirmed: an order that was answered 201 is then not on disk. */
@Injectable()
export class DurabilityCheck implements OnApplicationBootstrap {
  private readonly logger = new Logger(DurabilityCheck.name);

  constructor(private readonly dataSource: DataSource) {}

  async onApplicationBootstrap(): Promise<void> {
    try {
      const settings = await readPrepared<{ name: string }>(this.dataSource, { text: SWITCHED_OFF });
      for (const { name } of settings) {
        this.logger.warn(`PostgreSQL has ${name} = off: a crash can lose orders that were confirmed. Set it to on`);
      }
    } catch (error) {
      this.logger.warn(`Whether PostgreSQL keeps what it has confirmed could not be asked: ${String(error)}`);
    }
  }
}
