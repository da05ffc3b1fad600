import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { INestApplicationContext } from '@nestjs/common';
import { EventFeed } from '../../src/events/event-feed.js';
import { EventStreams } from '../../src/events/event-streams.js';
import { KeyRing } from '../../src/access/key-ring.js';
import { loadConfig } from '../../src/config/config.js';
import { LIMITS } from '../../src/config/limits.js';
import { eventually } from '../support/eventually.js';
import { openStream, type OpenStream } from '../support/event-stream.js';
import { OrderEventResponse } from '../../src/orders/dto/order-event.response.js';
import { startApi } from '../support/api.js';
import { useApi } from '../support/use-api.js';
import { openTransaction } from '../support/waiting.js';
import { startWorker } from '../support/worker.js';

const LIFE = ['order.created', 'order.processing', 'order.completed'];

describe('events', () => {
  const { environment, api } = useApi({ ORDER_PROCESSING_DELAY_MS: '10' });
  let worker: INestApplicationContext | undefined;
  const streams: OpenStream[] = [];

  afterEach(async () => {
    for (const stream of streams.splice(0)) stream.close();
    await worker?.close();
    worker = undefined;
  });

  const open = async (path: string, headers: Record<string, string> = {}) => {
    const stream = await openStream(`${api.url}${path}`, headers);
    streams.push(stream);
    return stream;
  };
  const typesOf = ({ events }: OpenStream) => events.map(({ event }) => event);
  const buy = async () => (await api.post('/orders', { product_id: await api.createProduct() })).body.id as number;

  describe('of an order', () => {
    it('come as they happen, and the stream ends with the order', async () => {
      const id = await buy();
      const stream = await open(`/orders/${id}/events`);
      expect([stream.status, stream.headers['content-type'], stream.headers['x-accel-buffering']]).toEqual([
        200,
        'text/event-stream',
        'no',
      ]);
      await eventually(() => expect(typesOf(stream)).toEqual(['order.created']));
      worker = await startWorker(environment.config);
      await stream.ended;
      expect(typesOf(stream)).toEqual(LIFE);
      expect(stream.events.map(({ id: sequence }) => sequence)).toEqual(['1', '2', '3']);
      const { items } = (await api.get(`/orders/${id}/events`)).body;
      expect(stream.events.map(({ data }) => data)).toEqual(items);
      expect(items[0]).toMatchObject({ order_id: id, sequence: 1, type: 'order.created', status: 'pending' });
    });

    it('go on where a client has been, for ever, and are JSON for everybody else', async () => {
      const id = await buy();
      await api.post(`/orders/${id}/cancel`);
      const rest = await open(`/orders/${id}/events`, { 'Last-Event-ID': '1' });
      await rest.ended;
      expect(typesOf(rest)).toEqual(['order.cancelled']);
      const none = await open(`/orders/${id}/events`, { 'Last-Event-ID': '2' });
      await none.ended;
      expect(typesOf(none)).toEqual([]);
      expect((await api.get(`/orders/${id}/events`)).body.items).toHaveLength(2);
      expect((await open('/orders/999999/events')).status).toBe(404);
    });

    it('come in chunks, by whose last one a client sees that the stream has ended; one of HTTP/1.0 gets them plain', async () => {
      const id = await buy();
      await api.post(`/orders/${id}/cancel`);
      const bodyOf = async (version: string) => {
        const { hostname, port, pathname } = new URL(`${api.url}/orders/${id}/events`);
        const socket = connect({ host: hostname, port: Number(port) });
        socket.write(
          `GET ${pathname} HTTP/${version}\r\nHost: ${hostname}:${port}\r\nAccept: text/event-stream\r\n\r\n`,
        );
        const [head = '', ...body] = Buffer.concat(await socket.toArray())
          .toString()
          .split('\r\n\r\n');
        return { isChunked: /^transfer-encoding: chunked$/im.test(head), body: body.join('\r\n\r\n') };
      };
      const plain = await bodyOf('1.0');
      expect(plain.isChunked).toBe(false);
      expect(plain.body).toMatch(/^: \n\nid: 1\nevent: order\.created\n.*\n\nid: 2\nevent: order\.cancelled\n.*\n\n$/);
      const { isChunked, body } = await bodyOf('1.1');
      expect(isChunked).toBe(true);
      const [, heartbeat, size = '', events = '', last] =
        /^4\r\n(.*?)\r\n([\da-f]+)\r\n(.*)\r\n(0\r\n\r\n)$/s.exec(body) ?? [];
      expect([heartbeat, last]).toEqual([': \n\n', '0\r\n\r\n']);
      expect(Buffer.byteLength(events)).toBe(Number.parseInt(size, 16));
      expect(`${heartbeat}${events}`).toBe(plain.body);
    });

    it('go on behind the end of an order while the gateway owes an undo', async () => {
      let called = () => undefined as unknown;
      const calling = new Promise<void>((resolve) => (called = () => resolve()));
      let cancelled: () => void = () => undefined;
      const undoing = new Promise<void>((resolve) => (cancelled = resolve));
      worker = await startWorker(
        environment.config,
        async (_id, { signal }) => {
          called();
          await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
        },
        () => undoing,
      );
      const id = await buy();
      const stream = await open(`/orders/${id}/events`);
      await calling;
      await api.post(`/orders/${id}/cancel`);
      await eventually(() => expect(typesOf(stream)).toContain('order.cancelled'));
      cancelled();
      await stream.ended;
      expect(typesOf(stream).at(-1)).toBe('order.fulfilment_cancelled');
    });
  });

  describe('of all orders', () => {
    it('are listed from the beginning, page by page, none skipped', async () => {
      const ids = await Promise.all(Array.from({ length: 12 }, buy));
      for (const id of ids.slice(0, 5)) await api.post(`/orders/${id}/cancel`);
      const seen: { id: number; order_id: number; type: string }[] = [];
      let after = '';
      for (;;) {
        const { status, body } = await api.get(`/events?limit=3${after === '' ? '' : `&after=${after}`}`);
        expect(status).toBe(200);
        seen.push(...body.items);
        if (body.items.length === 0 && body.next === after) break;
        after = body.next;
      }
      const { rows } = await environment.sql.query<{ id: string }>('SELECT id FROM order_events ORDER BY id');
      expect(seen.map(({ id }) => id)).toEqual(rows.map(({ id }) => Number(id)));
      const mine = seen.filter(({ order_id }) => order_id === ids[0]);
      expect(mine.map(({ type }) => type)).toEqual(['order.created', 'order.cancelled']);
    });

    it('come live to everybody who follows, also those that commit in the other order', async () => {
      const { next } = (await api.get('/events?limit=1000')).body;
      const followers = await Promise.all(Array.from({ length: 5 }, () => open(`/events?after=${next}`)));
      // One has its id before the others, and is committed after them.
      const held = await buy();
      const holder = await openTransaction(environment.sql);
      await holder.query(`UPDATE orders SET status = 'cancelled' WHERE id = $1`, [held]);
      await holder.query(`INSERT INTO order_events (order_id, status, cause) VALUES ($1, 'cancelled', 'by hand')`, [
        held,
      ]);
      const later = await buy();
      await holder.end('COMMIT');
      const last = await buy();
      for (const follower of followers) {
        await eventually(() =>
          expect(follower.events.map(({ data }) => [data.order_id, data.type])).toEqual([
            [held, 'order.created'],
            [held, 'order.cancelled'],
            [later, 'order.created'],
            [last, 'order.created'],
          ]),
        );
      }
      // One that comes back misses nothing.
      const [first] = followers;
      const again = await open('/events', { 'Last-Event-ID': first?.events[1]?.id ?? '' });
      await eventually(() => expect(again.events.map(({ data }) => data.order_id)).toEqual([later, last]));
    });

    it('refuse a cursor that is none, and one from before a restore', async () => {
      expect((await api.get('/events?after=nonsense')).body).toMatchObject({
        status: 422,
        errors: [{ field: 'after' }],
      });
      const of = (log: string) => Buffer.from(`${log}.1`).toString('base64url');
      const expired = await api.get(`/events?after=${of('00000000-0000-4000-8000-000000000000')}`);
      expect([expired.status, expired.body.code]).toEqual([410, 'CURSOR_EXPIRED']);
      expect((await open('/events', { 'Last-Event-ID': of('00000000-0000-4000-8000-000000000000') })).status).toBe(410);
      for (const limit of ['0', '1001', 'x']) expect((await api.get(`/events?limit=${limit}`)).status).toBe(422);
    });
  });

  it('are streamed to no more clients than a process may serve, and a place is free again when one leaves', async () => {
    const small = await startApi({ ...environment.config, maxStreams: 2 });
    try {
      const path = `${small.url}/events`;
      const [one, two] = [await openStream(path), await openStream(path)];
      expect([one.status, two.status]).toEqual([200, 200]);
      expect((await openStream(path)).status).toBe(503);
      one.close();
      await eventually(async () => {
        const third = await openStream(path);
        third.close();
        expect(third.status).toBe(200);
      });
      two.close();
    } finally {
      await small.close();
    }
  });

  it('are streamed to one caller so often that others have places left', async () => {
    const tokenOf = async (key: object) => (await api.post('/keys', { name: 'a key', ...key })).body.token as string;
    const customer = await tokenOf({ role: 'storefront', customer_ref: 'alice' });
    const shop = await tokenOf({ role: 'fulfilment' });
    const order = (await api.post('/orders', { product_id: await api.createProduct(), customer_ref: 'alice' })).body.id;
    const most = 2 * (LIMITS.customerStreams + 2);
    const asked = await startApi(
      loadConfig({ ...environment.variables, AUTH: 'required', MAX_STREAMS: `${most}` }, 'api'),
    );
    try {
      await asked.app.get(KeyRing, { strict: false }).run();
      const follow = async (path: string, token: string) => {
        const stream = await openStream(`${asked.url}${path}`, { Authorization: `Bearer ${token}` });
        streams.push(stream);
        return stream;
      };
      const placesOf = async (path: string, token: string): Promise<[number, OpenStream]> => {
        for (let count = 0; ; count++) {
          const stream = await follow(path, token);
          if (stream.status !== 200) return [count, stream];
        }
      };
      const [ofCustomer, refused] = await placesOf(`/orders/${order}/events`, customer);
      expect(ofCustomer).toBe(LIMITS.customerStreams);
      expect([refused.status, refused.headers['retry-after']]).toEqual([429, '10']);
      const [ofShop] = await placesOf('/events', shop);
      expect(ofShop).toBe(most / 2);
      streams[0]?.close();
      await eventually(async () => expect((await follow(`/orders/${order}/events`, customer)).status).toBe(200));
    } finally {
      await asked.close();
    }
  });

  const held = (): [Map<{ beatAt: number }, unknown>, unknown] => [
    Reflect.get(api.app.get(EventStreams, { strict: false }), 'followers'),
    Reflect.get(api.app.get(EventFeed, { strict: false }), 'listeners'),
  ];

  it('leave nothing behind when their clients are gone', async () => {
    const opened = await Promise.all(Array.from({ length: 20 }, () => openStream(`${api.url}/events`)));
    await eventually(() =>
      expect(held()).toEqual([expect.objectContaining({ size: 20 }), new Map([['every order', expect.any(Set)]])]),
    );
    for (const stream of opened) stream.close();
    await eventually(() => expect(held()).toEqual([new Map(), new Map()]));
  });

  it('leave nothing behind of a client that has asked for several on one connection, and has gone', async () => {
    const { hostname, port } = new URL(api.url);
    const socket = connect({ host: hostname, port: Number(port) });
    const ask = `GET /api/v1/events HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAccept: text/event-stream\r\n\r\n`;
    socket.write(ask.repeat(3));
    await eventually(() => expect(held()[0].size).toBe(3));
    socket.destroy();
    await eventually(() => expect(held()).toEqual([new Map(), new Map()]));
  });

  it('show that they live while nothing happens, and only when it is time', async () => {
    const stream = await open('/events');
    await eventually(() => expect(held()[0].size).toBe(1));
    const [follower] = held()[0].keys();
    const beats = () => stream.text().match(/^: $/gm)?.length;
    await eventually(() => expect(beats()).toBe(1));
    const due = follower?.beatAt ?? 0;
    Object.assign(follower ?? {}, { beatAt: performance.now() });
    await eventually(() => expect(beats()).toBe(2));
    expect(follower?.beatAt).toBeGreaterThan(due);
  });

  it('are only described to whoever asks for the head', async () => {
    const { status, headers } = await fetch(`${api.url}/events`, {
      method: 'HEAD',
      headers: { Accept: 'text/event-stream' },
    });
    expect([status, headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    await eventually(() => expect(held()).toEqual([new Map(), new Map()]));
  });

  it('end, and no other, when one of their events cannot be told', async () => {
    const other = await open('/events');
    const stream = await open('/events');
    const of = OrderEventResponse.of.bind(OrderEventResponse);
    OrderEventResponse.of = () => {
      OrderEventResponse.of = of;
      throw new Error('an event that cannot be told');
    };
    try {
      await buy();
      await Promise.race([stream.ended, other.ended]);
      await eventually(() => expect(held()[0].size).toBe(1));
    } finally {
      OrderEventResponse.of = of;
    }
  });

  it('say when to come back when the process stops', async () => {
    const other = await startApi(environment.config);
    const stream = await openStream(`${other.url}/events`);
    expect(stream.status).toBe(200);
    await other.close();
    await stream.ended;
    expect(stream.text()).toMatch(/retry: \d{4,5}\n\n$/);
  });

  it('keep no process from stopping, also when their client does not read', async () => {
    const other = await startApi(environment.config);
    const stream = await openStream(`${other.url}/events`);
    stream.pause();
    for (let n = 0; n < 5; n++) await buy();
    const begin = performance.now();
    await other.close();
    expect(performance.now() - begin).toBeLessThan(5_000);
    stream.close();
  });

  it('cost a slow reader nothing but time, and the process no memory', async () => {
    const id = await buy();
    // Far more than the system's buffers hold.
    await environment.sql.query(
      `INSERT INTO order_events (order_id, status, cause) SELECT $1, 'processing', repeat('x', 100000) FROM generate_series(1, 400)`,
      [id],
    );
    const slow = await open(`/events`);
    slow.pause();
    await delay(1_000);
    expect((await api.get('/health')).status).toBe(200);
    const received = slow.events.length;
    slow.resume();
    const { rows } = await environment.sql.query<{ id: number }>('SELECT id FROM order_events ORDER BY id');
    await eventually(() => expect(slow.events).toHaveLength(rows.length));
    expect(received).toBeLessThan(rows.length - 100);
    expect(slow.events.map(({ data }) => data.id)).toEqual(rows.map((row) => row.id));
  });
});
