import { Injectable } from '@nestjs/common';
import { gauge } from '../../telemetry/metrics.js';
import { ObservedGauges } from '../../telemetry/observed-gauges.js';
import { DeadLettersService } from '../dead-letters/dead-letters.service.js';

/** Failed jobs are read one by one to find those whose orders are open: not each time when somebody asks. */
const KEPT_MS = 30_000;

const deadLetters = gauge({
  name: 'dead_letters',
  unit: 'orders',
  help: 'Open orders that the system does not try any more by itself, as they were half a minute ago at most. Of the whole shop.',
});

/** Tells how many orders wait for an operator. */
@Injectable()
export class DeadLetterMetrics extends ObservedGauges {
  protected readonly gauges = [deadLetters];
  private countedAt = -Infinity;
  private count = 0;

  constructor(private readonly letters: DeadLettersService) {
    super();
  }

  protected async read(): Promise<void> {
    if (performance.now() - this.countedAt > KEPT_MS) {
      this.count = (await this.letters.list()).length;
      this.countedAt = performance.now();
    }
    deadLetters.set(this.count);
  }
}
