/** The one writer of `order_events`. `select` gives `order_id, status, cause` for each event. */
export function recordEvents(select: string): string {
  return `INSERT INTO order_events (order_id, status, cause) ${select}`;
}
