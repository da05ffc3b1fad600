export const AUDIT_QUEUE = 'audit';

/** Nights of which the job stays for the dashboard; the findings are in the database. */
const KEPT = 30;

/** What an operator asks for. */
export const REQUESTED_AUDIT = {
  name: 'audit',
  options: { jobId: 'requested-audit', removeOnComplete: true, removeOnFail: true },
};

/** Every night at three, UTC. */
export const NIGHTLY_AUDIT = {
  id: 'nightly-audit',
  repeat: { pattern: '0 3 * * *', tz: 'UTC' },
  template: {
    name: 'audit',
    opts: {
      attempts: 3,
      backoff: { type: 'fixed', delay: 60_000 },
      removeOnComplete: { count: KEPT },
      removeOnFail: { count: KEPT },
    },
  },
};
