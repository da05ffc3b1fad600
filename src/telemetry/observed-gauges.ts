import type { Gauge } from '@prometheus-io/client';
import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import { withDeadline } from '../runtime/deadline.js';
import { forget, registry } from './metrics.js';

/** Prometheus waits ten seconds for an answer; PostgreSQL or Redis may be away. */
const TIMEOUT_MS = 2_000;

const observed = new Set<ObservedGauges>();

/**
 * Base class for gauges that are read when somebody asks for the metrics. When `read` throws or takes too long, they are left out of
 * the answer: a value of before would look like one of now.
 */
export abstract class ObservedGauges implements OnModuleInit, OnModuleDestroy {
  protected abstract readonly gauges: readonly Pick<Gauge, 'remove' | 'reset'>[];

  /** Sets all gauges. */
  protected abstract read(): Promise<void> | void;

  onModuleInit(): void {
    observed.add(this);
  }

  onModuleDestroy(): void {
    observed.delete(this);
    for (const gauge of this.gauges) forget(gauge);
  }

  /** Reads everything that the process observes, at the same time. Never rejects. */
  static async readAll(): Promise<void> {
    await Promise.all([...observed].map(async (each) => each.readOrForget()));
  }

  /** Reads only what sets this metric. Never rejects. */
  static async readFor(name: string): Promise<void> {
    const metric: unknown = registry.getSingleMetric(name);
    const concerned = [...observed].filter(({ gauges }) => gauges.some((each) => each === metric));
    await Promise.all(concerned.map(async (each) => each.readOrForget()));
  }

  private async readOrForget(): Promise<void> {
    try {
      await withDeadline(
        Promise.resolve().then(() => this.read()),
        TIMEOUT_MS,
      );
    } catch {
      for (const gauge of this.gauges) forget(gauge);
    }
  }
}
