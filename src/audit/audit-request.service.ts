import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { recordAction } from '../actions/action.js';
import { LIMITS } from '../config/limits.js';
import { queryWithin } from '../database/prepared-statement.js';
import { IdempotencyService } from '../idempotency/idempotency.service.js';
import type { IdempotentRequest, Performed } from '../idempotency/idempotent-request.js';
import { storedAsJson } from '../kernel/stored-json.js';
import { QueueUnavailableError } from '../queue/queue-unavailable.error.js';
import { withDeadline } from '../runtime/deadline.js';
import { currentContext } from '../runtime/request-context.js';
import { AUDIT_QUEUE, REQUESTED_AUDIT } from './audit-jobs.js';

const storedNothing = storedAsJson<undefined>({ write: () => ({}), read: () => undefined });

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
    const requested = await this.idempotency.run(request, storedNothing, async (manager) => {
      await queryWithin(manager, recordAction('audit.requested', {}, currentContext().requestId));
      return undefined;
    });
    const { name, options } = REQUESTED_AUDIT;
    await withDeadline(this.queue.add(name, {}, options), LIMITS.answerMs / 2).catch((error: unknown) => {
      throw new QueueUnavailableError(error);
    });
    return requested;
  }
}
