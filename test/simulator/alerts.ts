import type { Fault } from './faults.ts';

/** What an operator sees of a fault. */
interface Sign {
  /** A metric in which it shows, by its name. */
  readonly metric: string;
  /** The alerts that it may raise: those of its cause, and of the objectives that it touches. No other one may fire. */
  readonly alerts: readonly string[];
}

const PURCHASES_FAIL = ['PurchasesFailFast', 'PurchasesFail', 'PurchasesFailSlowly'];
const ORDERS_ARE_LATE = ['OrdersCompleteLateFast', 'OrdersCompleteLate', 'OrdersCompleteLateSlowly', 'OrderStuck'];
/** Whatever happens, the provider of the simulator refuses and fails calls, and jobs are lost with their worker or with Redis. */
export const OF_EVERY_FAULT = ['FulfilmentFails', 'OrdersLoseTheirJobs', 'DeadLetters'];
const DATABASE = [...PURCHASES_FAIL, ...ORDERS_ARE_LATE, 'DatabaseUnreachable', 'ConnectionsExhausted', 'NoWorker'];
const QUEUE = [...ORDERS_ARE_LATE, 'QueueUnreachable'];
const EITHER = [...DATABASE, ...QUEUE];

/** For each fault of the simulator the metric in which it is seen, and the alerts that it may raise. */
const SIGNS: Readonly<Record<Fault, Sign>> = {
  'kill -9 an API': { metric: 'up', alerts: ['ProcessDown', ...PURCHASES_FAIL, ...ORDERS_ARE_LATE] },
  'kill -9 a worker': { metric: 'up', alerts: ['ProcessDown', ...ORDERS_ARE_LATE] },
  'stop an API and a worker': { metric: 'up', alerts: ['ProcessDown', ...PURCHASES_FAIL, ...ORDERS_ARE_LATE] },
  'kill -9 PostgreSQL': { metric: 'purchases_total', alerts: DATABASE },
  'restart PostgreSQL': { metric: 'purchases_total', alerts: DATABASE },
  'freeze PostgreSQL': { metric: 'purchases_total', alerts: DATABASE },
  'kill -9 Redis': { metric: 'jobs', alerts: QUEUE },
  'freeze Redis': { metric: 'jobs', alerts: QUEUE },
  'wipe Redis': { metric: 'orders_rescued_total', alerts: ORDERS_ARE_LATE },
  'fill the pool': { metric: 'db_client_connection_pending_requests', alerts: DATABASE },
  'cut a connection before the commit of a sale': { metric: 'purchases_total', alerts: PURCHASES_FAIL },
  'cut a connection after the commit of a sale': { metric: 'purchases_total', alerts: PURCHASES_FAIL },
  'lose the answer to the commit of a sale': { metric: 'purchases_total', alerts: PURCHASES_FAIL },
  'cut a connection in the middle of a transaction': { metric: 'purchases_total', alerts: PURCHASES_FAIL },
  'cut all connections': { metric: 'purchases_total', alerts: EITHER },
  'leave connections half open': { metric: 'purchases_total', alerts: EITHER },
  'slow the network down': { metric: 'http_server_request_duration_seconds', alerts: EITHER },
  'let nothing through': { metric: 'purchases_total', alerts: EITHER },
};

export function signOf(fault: Fault): Sign {
  return { ...SIGNS[fault], alerts: [...SIGNS[fault].alerts, ...OF_EVERY_FAULT] };
}

/** The table as `docs/operations.md` has it. */
export function alertTable(): string {
  const rows = Object.entries(SIGNS).map(
    ([fault, { metric, alerts }]) =>
      `| ${fault} | \`${metric}\` | ${alerts.map((alert) => `\`${alert}\``).join(', ')} |`,
  );
  return ['| fault | seen in | alerts that it may raise |', '| --- | --- | --- |', ...rows].join('\n');
}
