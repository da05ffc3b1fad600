import { readFileSync } from 'node:fs';
import { KEPT_RUNS } from '../../src/audit/audit.service.js';
import { MAX_EXAMPLES } from '../../src/audit/audit-statement.js';
import { MAX_ECHOED, MAX_ERRORS } from '../../src/kernel/validation-error.js';
import { formatCents } from '../../src/kernel/money.js';
import { loadConfig } from '../../src/config/config.js';
import { LIST_WEIGHT, MAX_BODY_WEIGHT } from '../../src/http/access/route-access.js';
import { MAX_NAME_LENGTH } from '../../src/access/dto/create-api-key.dto.js';
import { MAX_OVERLAP_SECONDS } from '../../src/access/dto/roll-api-key.dto.js';
import { MAX_KEY_LENGTH } from '../../src/idempotency/idempotency-header.js';
import { DEFAULT_TTL_SECONDS, MAX_TTL_SECONDS } from '../../src/reservations/reservation.js';
import { MAX_CUSTOMER_REF_LENGTH } from '../../src/kernel/access/caller.js';
import { MAX_COUNTED as MAX_ORDERS_COUNTED } from '../../src/orders/order-search.js';
import { MAX_EVENTS } from '../../src/orders/history/order-event.js';
import { MAX_TOTAL } from '../../src/stock/priced-item.js';
import { MAX_ITEMS, MAX_QUANTITY } from '../../src/stock/requested-item.js';
import { MAX_COUNTED, MAX_OFFSET } from '../../src/products/product-search.js';
import { KEPT_COMPLETED, KEPT_FAILED, MAX_ORDERS_PER_DISPATCH } from '../../src/orders/processing/order-jobs.js';
import { REAL, setLimits } from '../support/limits.js';

const FILE = new URL('../../docs/guarantees.md', import.meta.url);
const number = (value: number | string) => String(value).replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ' ');
const seconds = (milliseconds: number) =>
  milliseconds < 100 ? `${milliseconds} ms` : `${milliseconds / 1_000} s`.replace(/(\d)(?=000\b)/, '$1 ');

/** The section of limits as the code has them. */
function expected(): Record<string, string> {
  const { maxConnections, maxStreams, idempotencyTtlSeconds, holdLimitPercent } = loadConfig(
    { DATABASE_URL: 'postgres://x/y', REDIS_URL: 'redis://x' },
    'api',
  );
  return {
    body: `${REAL.bodyBytes / 2 ** 20} MiB`,
    'values in a body; levels; names of problems told in `detail`': `${number(REAL.bodyValues)}; ${REAL.bodyLevels}; 5, more in \`errors\``,
    'problems in `errors`; characters that are echoed of a name': `${MAX_ERRORS}; ${MAX_ECHOED}`,
    'items of an order; units of a product in it': `${MAX_ITEMS}; ${number(MAX_QUANTITY)}`,
    'total of an order': number(formatCents(MAX_TOTAL)),
    'arrival of a request with its body; reading of an answer': `${seconds(REAL.requestMs)}; ${seconds(REAL.readerMs)}; then the connection is closed`,
    'answers that the clients of one process leave unread': `${REAL.unreadBytes / 2 ** 20} MiB; beyond that the connections with most of it are closed`,
    'connections to one process': `\`MAX_CONNECTIONS\`, ${number(maxConnections)}; beyond them, who has more gives up those on which nothing is answered, and else the new one is closed; the log says so`,
    'streams of events that one process serves': `\`MAX_STREAMS\`, ${number(maxStreams)}; more are 503`,
    'connection between two requests': seconds(REAL.keepAliveMs),
    'requests waiting to be begun in one API process': `${number(REAL.requestsWaiting)}, each at most ${seconds(REAL.beginMs)}; beyond that 503 \`OVERLOADED\``,
    'purchases waiting in one API process': `${number(REAL.purchasesWaiting)}, each at most ${seconds(REAL.purchaseTurnMs)}; beyond that 503 \`OVERLOADED\` before any work`,
    'reads of a kind waiting in one API process': `${number(REAL.readsWaiting)}, each at most ${seconds(REAL.readTurnMs)}`,
    'lists and searches read at once in one API process': `${REAL.listsInFlight}, the others wait like reads`,
    'purchases committed together': `${REAL.purchasesPerBatch}, with ${REAL.itemsPerBatch} items; ${REAL.purchaseBatchesInFlight} batches at a time`,
    'requests waiting for a connection in one process': `${number(REAL.connectionsWaiting)}, each at most ${seconds(REAL.connectMs)}; none when no connection was given out for ${seconds(REAL.connectionStallMs)}`,
    'all work for a request, waits included; what is kept of it for the commit': `${seconds(REAL.answerMs)}; ${seconds(REAL.commitMs)}`,
    'lock, statement, transaction': `${seconds(REAL.lockMs)}, ${seconds(REAL.statementMs)}, ${seconds(REAL.transactionMs)}; a connection within ${seconds(REAL.connectMs)}`,
    'look-up of a commit whose answer was lost': seconds(REAL.commitLookUpMs),
    "command to the cache's Redis": seconds(REAL.cacheCommandMs),
    'idempotency key; how long it is kept': `1 to ${MAX_KEY_LENGTH} printable characters; \`IDEMPOTENCY_TTL\`, ${idempotencyTtlSeconds / 3_600} hours; a refusal ${REAL.refusalSeconds} s`,
    'ended reservations, until they are removed; audit runs that are kept': `${REAL.endedReservationSeconds / 86_400} days, or \`IDEMPOTENCY_TTL\` where that is longer; ${KEPT_RUNS}`,
    'ledger that an audit looks at at one moment': `${REAL.auditSliceBytes / 2 ** 20} MiB`,
    'wrong credentials of an address that are looked at': `${REAL.guessesPerMinute} a minute; beyond that 429`,
    'requests of a caller that is known; of an address': `\`RATE_LIMIT\`, ${number(REAL.callerRequests)} a second; ${number(REAL.addressRequests)} a second; beyond that 429; a list counts as ${LIST_WEIGHT}, and each ${REAL.requestBytes} bytes of a body as one more, at most ${MAX_BODY_WEIGHT}; none while \`AUTH\` is off`,
    'look for keys that have changed; how long they hold while PostgreSQL does not answer': `${seconds(REAL.keysRefreshMs)}; ${seconds(REAL.keysKeptMs)}, then 503`,
    'issuer of tokens: wait for it; pause until it is asked again; a token that was judged': `${seconds(REAL.issuerMs)}; ${seconds(REAL.issuerPauseMs)}; ${seconds(REAL.keysKeptMs)}`,
    '`customer_ref`; orders of a customer or a request that are counted, and that pages reach by number': `1 to ${MAX_CUSTOMER_REF_LENGTH} printable characters; ${number(MAX_ORDERS_COUNTED)}, links reach all`,
    'name of a key; overlap of its secrets when it is rolled': `${MAX_NAME_LENGTH} characters; ${MAX_OVERLAP_SECONDS / 86_400} days`,
    'held of a product by one customer, or one key; reservations of a customer at a time': `\`HOLD_LIMIT\`, ${holdLimitPercent} percent; ${REAL.customerReservations}`,
    'requests of a customer with an `Idempotency-Key`; streams that it follows in one process, and that another known caller does': `${number(REAL.customerKeys)} a day; ${REAL.customerStreams}; half of \`MAX_STREAMS\`; more are 429`,
    'dashboard of the queue: requests of a caller; those that are worked on at once; jobs of a page': `${REAL.dashboardRequests} a second, beyond that 429; ${REAL.dashboardRequestsAtOnce}, beyond that 503; ${REAL.dashboardJobs}`,
    'time of a reservation': `1 s to ${number(MAX_TTL_SECONDS)} s, ${DEFAULT_TTL_SECONDS} s unless given`,
    'events shown of an order; examples of a finding': `${number(MAX_EVENTS)}; ${MAX_EXAMPLES}`,
    'hits of a search that are counted; that pages reach by number': `${number(MAX_COUNTED)}; ${number(MAX_OFFSET)}; links reach all`,
    'orders waiting to be dispatched in one API process; in one job': `${number(REAL.dispatchesWaiting)}, the sweep finds the rest; ${MAX_ORDERS_PER_DISPATCH}`,
    'wait of a dispatched order for a slot, before it gets a job of its own': seconds(REAL.slotPatienceMs),
    'lock of a job; check for jobs that lost their worker; losses from which on it is tried alone; losses that it survives': `${seconds(REAL.jobLockMs)}; ${seconds(REAL.stalledCheckMs)}; ${REAL.stallsTogether}; ${REAL.stalls}`,
    'look of a worker for cancelled orders; beat of its heartbeat': `${seconds(REAL.cancellationLookMs)}; ${seconds(REAL.heartbeatMs)}`,
    'events told to a subscriber: time for one; tries before it is parked; first wait': `${seconds(REAL.subscriberCallMs)}; ${REAL.subscriberTries}; ${seconds(REAL.subscriberBackoffMs)}`,
    'worker that is not seen, until it is taken for dead; event loop that does not turn, until the process ends itself': `${seconds(REAL.workerSilenceMs)}; ${seconds(REAL.eventLoopStallMs)}`,
    'subscriber whose worker is gone, until another one tells it': seconds(REAL.subscriptionHoldMs),
    'finished jobs kept for the dashboard': `${number(KEPT_COMPLETED)} completed, ${number(KEPT_FAILED)} failed`,
  };
}

it('the limits in docs/guarantees.md are those of the code', () => {
  setLimits(REAL);
  const [, section = ''] = readFileSync(FILE, 'utf8').split('\n## Limits\n');
  const [, , ...rows] = [...section.matchAll(/^\| (.+?) +\| (.+?) +\|$/gm)].map(([, what = '', limit = '']) => [
    what,
    limit,
  ]);
  expect(Object.fromEntries(rows)).toEqual(expected());
});

it('an answer comes within five seconds, with half a second for the rest, and what waits for a turn is left time for its work', () => {
  const { answerMs, commitMs, purchaseTurnMs, readTurnMs, connectMs } = REAL;
  expect(answerMs).toBeLessThanOrEqual(4_500);
  expect(purchaseTurnMs + connectMs + commitMs).toBeLessThan(answerMs);
  expect(readTurnMs + connectMs).toBeLessThan(answerMs);
});

it('a lock is given up before its statement, and a statement before its transaction', () => {
  expect(REAL.lockMs).toBeLessThan(REAL.statementMs);
  expect(REAL.statementMs).toBeLessThan(REAL.transactionMs);
});
