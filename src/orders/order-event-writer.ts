/** The one writer of `order_events`. `select` gives `order_id, status, cause` for each event. */
export function recordEvents(select: string): string {
  return `INSERT INTO order_events (order_id, status, cause) ${select}`;
}

/** The same for events whose type their status does not tell: `select` gives `order_id, status, cause, type`. */
export function recordTypedEvents(select: string): string {
  return `INSERT INTO order_events (order_id, status, cause, type) ${select}`;
}
