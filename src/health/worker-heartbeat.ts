import { rm, writeFile } from 'node:fs/promises';
import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Log } from '../runtime/log.js';
import { Config } from '../config/config.js';
import { LIMITS } from '../config/limits.js';
import { ReadinessService } from './readiness.service.js';

/**
 * Touches `WORKER_HEARTBEAT_FILE` as long as the worker can work, also without Redis, so that a container's health check can tell
 * by the file's age: a worker serves no port that could be asked.
 */
@Injectable()
export class WorkerHeartbeat implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Log(WorkerHeartbeat.name);
  private timer: NodeJS.Timeout | undefined;
  private beating: Promise<void> | undefined;

  constructor(
    private readonly readiness: ReadinessService,
    private readonly config: Config,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const file = this.config.worker.heartbeatFile;
    if (file === undefined) return;
    await this.beat(file);
    this.timer = setInterval(() => {
      this.beating ??= this.beat(file).finally(() => (this.beating = undefined));
    }, LIMITS.heartbeatMs);
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.beating;
    const file = this.config.worker.heartbeatFile;
    if (file !== undefined) await rm(file, { force: true });
  }

  private async beat(file: string): Promise<void> {
    try {
      const { status } = await this.readiness.check();
      if (status !== 'not_ready') await writeFile(file, `${new Date().toISOString()}\n`);
    } catch (error) {
      this.logger.warn('The heartbeat could not be written', { error });
    }
  }
}
