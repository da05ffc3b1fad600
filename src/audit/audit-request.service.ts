import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { recordAction } from '../actions/action.js';
import { LIMITS } from '../config/limits.js';
import { IdempotencyService } from '../idempotency/idempotency.service.js';
import type { IdempotentRequest, Performed } from '../idempotency/idempotent-request.js';
import { STORED_NOTHING } from '../kernel/stored-json.js';
import { answeredByQueue } from '../queue/answered-by-queue.js';
import { AUDIT_QUEUE, REQUESTED_AUDIT } from './audit-jobs.js';

/** Asks a worker to audit now. */
@Injectable()
export class AuditRequestService {
  constructor(
    @InjectQueue(AUDIT_QUEUE) private readonly queue: Queue,
    private readonly idempotency: IdempotencyService,
  ) {}

  /**
   * While an audit that was asked for has not ended, there is no second one.
   *
   * @throws QueueUnavailableError
   */
  async request(request?: IdempotentRequest): Promise<Performed<undefined>> {
    const requested = await this.idempotency.run(request, STORED_NOTHING, async (manager) => {
      await recordAction(manager, 'audit.requested', {});
      return undefined;
    });
    const { name, options } = REQUESTED_AUDIT;
    await answeredByQueue(this.queue.add(name, {}, options), LIMITS.answerMs / 2);
    return requested;
  }
}
