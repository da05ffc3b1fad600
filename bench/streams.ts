/** What streams of events cost that nothing happens on, and how soon a client hears of an event. */
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { mean, pairedRatio } from './interval.ts';
import { load } from './load.ts';
import { median } from './median.ts';
import { purchases, Shop } from './shop.ts';
import { type Process, residentMebibytes, type Stage, startApi } from './stage.ts';

const STREAMS = 5_000;
/** Pairs of processes: two of one build differ for as long as they live, and the first is slower, so each comes first in half of them. */
const PAIRS = 8;
/** Of each pair. */
const ROUNDS = 4;
const SECONDS = 2;
const WARM_UP_SECONDS = 6;
const CONNECTIONS = 64;
const VARIABLES = { MAX_CONNECTIONS: '20000' };
/** Connections that are opened at once: more than a listen queue holds would be refused. */
const OPENING = 100;
/** Until all streams have been woken for what was committed while they began. */
const SETTLE_MS = 4_000;
/**
 * Until a process has nothing under way that holds a lock, before it is frozen; and has done what fell due meanwhile, after that: of its
 * heartbeats, which fall due in bursts as the streams were opened, it sends a thousand a second.
 */
const STILL_MS = 3_000;
/** For the latency: one purchase at a time, that many, so that the events come one by one. */
const LATENCIES = 300;
const PAUSE_MS = 30;

/**
 * Two processes, of which one has clients that follow 5 000 orders that nothing happens to; purchases of each in turns, while the other
 * is frozen. Then how long it takes from the commit of an event until a client of `GET /events` has it, by the clock of PostgreSQL, which
 * is that of this machine.
 */
export async function measureStreams(stage: Stage, say: (line: string) => void): Promise<void> {
  const [without, beside]: [number[], number[]] = [[], []];
  for (let pair = 1; pair <= PAIRS; pair++) {
    const [first, second] = [await startApi(stage, VARIABLES), await startApi(stage, VARIABLES)];
    const [alone, followed] = pair % 2 === 1 ? [first, second] : [second, first];
    const rates: [number[], number[]] = [[], []];
    const megabytes = await takeTurns(stage, [alone, followed], rates);
    without.push(mean(rates[0]));
    beside.push(mean(rates[1]));
    say(`${STREAMS} idle streams: ${Math.round(megabytes)} MB more (pair ${pair} of ${PAIRS})`);
    if (pair === PAIRS) await tellLatency(followed, stage, say);
    await Promise.all([alone.stop(), followed.stop()]);
  }
  const { estimate, low, high } = pairedRatio(beside, without);
  const rates = [beside, without].map((each) => `${median(each).toFixed(0)}/s`);
  say(
    `purchases ${rates.join(' beside them, ')} without: ${estimate.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`,
  );
}

/** Adds the rates of both to theirs, and gives what the streams took of memory, in MiB. */
async function takeTurns(
  stage: Stage,
  [alone, followed]: readonly [Process, Process],
  [without, beside]: readonly [number[], number[]],
): Promise<number> {
  const shop = new Shop(stage.sql);
  await shop.open(1);
  const orders = await shop.sell(STREAMS);
  const buy = async ({ url }: Process, seconds: number) =>
    (await load({ url, requests: purchases(1), connections: CONNECTIONS, seconds })).rate;
  for (const each of [alone, followed]) await buy(each, WARM_UP_SECONDS);
  const before = await residentMebibytes(followed.pid);
  const sockets = await follow(followed, orders);
  await delay(SETTLE_MS);
  const megabytes = (await residentMebibytes(followed.pid)) - before;
  const takeTurn = async (each: Process, other: Process, rates: number[]) => {
    await delay(STILL_MS);
    process.kill(other.pid, 'SIGSTOP');
    rates.push(await buy(each, SECONDS).finally(() => process.kill(other.pid, 'SIGCONT')));
  };
  for (let round = 1; round <= ROUNDS; round++) {
    const turns = [() => takeTurn(alone, followed, without), () => takeTurn(followed, alone, beside)];
    // The machine and the tables change meanwhile, so each comes first in half of the rounds.
    for (const turn of round % 2 === 1 ? turns : turns.reverse()) await turn();
  }
  for (const socket of sockets) socket.destroy();
  await delay(SETTLE_MS);
  return megabytes;
}

async function tellLatency(api: Process, stage: Stage, say: (line: string) => void): Promise<void> {
  const latencies = await measureLatency(api, stage);
  const at = (share: number) => Math.round(latencies[Math.ceil(latencies.length * share) - 1] ?? 0);
  say(
    `from the commit of an event to the client of a stream: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms (${latencies.length} events)`,
  );
}

/** Opens a stream for each order, and waits until each has begun. */
async function follow({ url }: Process, first: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let from = 0; from < STREAMS; from += OPENING) {
    const opening = Array.from({ length: OPENING }, async (_each, index) =>
      openStream(url, `/api/v1/orders/${first + from + index}/events`),
    );
    sockets.push(...(await Promise.all(opening)));
  }
  return sockets;
}

/** What idle streams read goes here: a buffer of its own for each heartbeat costs the clients more than it costs the system to send it. */
const buffer = Buffer.alloc(65_536);

/** Resolves when the stream has sent its first bytes. */
async function openStream(
  url: string,
  target: string,
  onText: (text: string) => void = () => undefined,
): Promise<Socket> {
  const { hostname, port } = new URL(url);
  return new Promise<Socket>((resolve, reject) => {
    const callback = (size: number) => {
      resolve(socket);
      onText(buffer.toString('utf8', 0, size));
      return true;
    };
    const socket = connect({ host: hostname, port: Number(port), onread: { buffer, callback } });
    // After it has begun, a stream is destroyed by this process.
    socket.on('error', reject);
    socket.write(`GET ${target} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAccept: text/event-stream\r\n\r\n`);
  });
}

async function measureLatency({ url }: Process, { sql }: Stage): Promise<number[]> {
  const { rows } = await sql.query<{ id: string }>('SELECT max(id) AS id FROM order_events');
  const { next } = (await (await fetch(`${url}/api/v1/events?limit=1`)).json()) as { next: string };
  const arrivals = new Map<number, number>();
  // The stream begins at the end of the log: what was before is not of interest.
  const cursor = await endOfLog(url, next);
  const socket = await openStream(url, `/api/v1/events?after=${encodeURIComponent(cursor)}`, (text) => {
    for (const [, id] of text.matchAll(/"order_id":(\d+)/g)) arrivals.set(Number(id), Date.now());
  });
  const ids: number[] = [];
  for (let count = 0; count < LATENCIES; count++) {
    const body = JSON.stringify({ product_id: 1 });
    const headers = { 'Content-Type': 'application/json' };
    const response = await fetch(`${url}/api/v1/orders`, { method: 'POST', headers, body });
    ids.push(((await response.json()) as { id: number }).id);
    await delay(Math.random() * 2 * PAUSE_MS);
  }
  await delay(2_000);
  socket.destroy();
  const written = await sql.query<{ order_id: string; at: number }>(
    `SELECT order_id, extract(epoch FROM created_at) * 1000 AS at FROM order_events WHERE id > $1 AND order_id = ANY ($2)`,
    [rows[0]?.id ?? 0, ids],
  );
  return written.rows
    .flatMap(({ order_id: id, at }) => {
      const arrival = arrivals.get(Number(id));
      return arrival === undefined ? [] : arrival - at;
    })
    .sort((a, b) => a - b);
}

async function endOfLog(url: string, after: string): Promise<string> {
  for (let cursor = after; ;) {
    const page = (await (
      await fetch(`${url}/api/v1/events?limit=1000&after=${encodeURIComponent(cursor)}`)
    ).json()) as {
      items: unknown[];
      next: string;
    };
    if (page.items.length === 0) return cursor;
    cursor = page.next;
  }
}
