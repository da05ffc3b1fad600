import type { Config } from '../../config/config.js';
import { type ParkedEvent, ParkedEventsService } from '../../events/parked-events.service.js';
import { runCommand } from '../run-command.js';
import { toTextTable } from '../text-table.js';
import { ParkedEventsRootModule } from './parked-events-root.module.js';

/** Shows the events that subscribers could not deal with, and with `retry` has all of them tried again; gives the exit status. */
export async function runParkedEvents(config: Config, { retry }: { retry: boolean }): Promise<number> {
  return runCommand(config, ParkedEventsRootModule.forRoot(config), async (app) => {
    const service = app.get(ParkedEventsService);
    const events = await service.list();
    process.stdout.write(`${reportOf(events)}\n`);
    if (!retry) return events.length === 0 ? 0 : 1;
    process.stdout.write(`${await service.retry()} events are tried again\n`);
    return 0;
  });
}

function reportOf(events: readonly ParkedEvent[]): string {
  if (events.length === 0) return 'There are no parked events';
  const rows = events.map(({ subscription, eventId, orderId, attempts, parkedAt, error }) => [
    subscription,
    String(eventId),
    String(orderId),
    String(attempts),
    parkedAt.toISOString(),
    error,
  ]);
  return toTextTable([['subscriber', 'event', 'order', 'tries', 'parked at', 'error'], ...rows]);
}
