import { duration, moment, words } from '../format';
import type { OrderEvent } from '../types';

/** Below it two events would stand on one another. */
const MIN_SHARE = 0.04;

/** The life of an order on one line of time, and each step of it below. */
export function Timeline({ events }: { readonly events: readonly OrderEvent[] }) {
  const [first] = events;
  if (first === undefined) return <p class="empty">Nothing is known of its life</p>;
  const begin = Date.parse(first.created_at);
  const end = Math.max(Date.parse(events.at(-1)?.created_at ?? first.created_at), begin + 1);
  const secondsOf = (event: OrderEvent) => (Date.parse(event.created_at) - begin) / 1_000;
  const spans = events.map((event, index) => {
    const until = events[index + 1];
    return Math.max(
      ((until === undefined ? end : Date.parse(until.created_at)) - Date.parse(event.created_at)) / (end - begin),
      MIN_SHARE,
    );
  });
  return (
    <>
      <div class="timeline" aria-hidden="true">
        {events.map((event, index) => (
          <span
            key={event.id}
            class={`span ${event.status}`}
            style={{ flexGrow: spans[index] ?? 0 }}
            title={`${event.status}: ${event.cause}`}
          />
        ))}
      </div>
      <ol class="events">
        {events.map((event) => (
          <li key={event.id}>
            <span class={`dot ${event.status}`} aria-hidden="true" />
            <strong>{words(event.type.replace('order.', ''))}</strong>
            <span>{event.cause}</span>
            <time dateTime={event.created_at} title={moment(event.created_at)}>
              {event === first ? moment(event.created_at) : `after ${duration(secondsOf(event))}`}
            </time>
          </li>
        ))}
      </ol>
    </>
  );
}
