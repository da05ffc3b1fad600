import { COMPLETION_BUCKETS, counter, DURATION_BUCKETS, histogram } from '../../telemetry/metrics.js';

export const ordersEnded = counter({
  name: 'orders_ended_total',
  unit: 'orders',
  help: 'Orders that this worker has brought to their end.',
  labels: { status: ['completed', 'failed'] },
});

export const completionTime = histogram({
  name: 'order_completion_seconds',
  unit: 'seconds',
  help: 'From the 201 of an order until it was completed.',
  buckets: COMPLETION_BUCKETS,
});

export const fulfilmentDuration = histogram({
  name: 'fulfilment_call_duration_seconds',
  unit: 'seconds',
  help: 'External calls for orders, by how they ended; aborted ones were not wanted any more, or the worker stopped.',
  labels: { outcome: ['done', 'failed', 'aborted'] },
  buckets: [...DURATION_BUCKETS, 30, 60],
});

export const ordersRescued = counter({
  name: 'orders_rescued_total',
  unit: 'orders',
  help: 'Orders that had lost their job and were dispatched again by the sweep.',
});

export const undos = counter({
  name: 'fulfilment_undos_total',
  unit: 'calls',
  help: 'Fulfilments that were cancelled at the gateway, because their order had ended otherwise.',
});
