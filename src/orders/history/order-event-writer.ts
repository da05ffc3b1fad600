/**
 * The one writer of `order_events`. `select` gives `order_id, status, cause, request_id, actor` for each event; the last two are null for an
 * event that no request has caused.
 */
export function recordEvents(select: string): string {
  return `INSERT INTO order_events (order_id, status, cause, request_id, actor) ${select}`;
}

/** The same for claims: `select` gives `order_id, status, cause, job_id`; the last is null for a claim that no job has made. */
export function recordClaims(select: string): string {
  return `INSERT INTO order_events (order_id, status, cause, job_id) ${select}`;
}

/** The same for events whose type their status does not tell: `select` gives `order_id, status, cause, type`. */
export function recordTypedEvents(select: string): string {
  return `INSERT INTO order_events (order_id, status, cause, type) ${select}`;
}
