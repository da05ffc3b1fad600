import { rm, writeFile } from 'node:fs/promises';
import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../config/config.js';
import { ReadinessService } from './readiness.service.js';

const INTERVAL_MS = 5_000;

/**
 * Touches `WORKER_HEARTBEAT_FILE` as long as the worker reaches all it needs, so that a container's health check can tell
 * by the file's age: a worker serves no port that could be asked.
 */
@Injectable()
export class WorkerHeartbeat implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(WorkerHeartbeat.name);
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly readiness: ReadinessService,
    private readonly config: Config,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const file = this.config.worker.heartbeatFile;
    if (file === undefined) return;
    await this.beat(file);
    this.timer = setInterval(() => void this.beat(file), INTERVAL_MS);
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    const file = this.config.worker.heartbeatFile;
    if (file !== undefined) await rm(file, { force: true });
  }

  private async beat(file: string): Promise<void> {
    try {
      const { status } = await this.readiness.check();
      if (status === 'ready') await writeFile(file, `${new Date().toISOString()}\n`);
    } catch (error) {
      this.logger.warn(`The heartbeat could not be written: ${String(error)}`);
    }
  }
}
