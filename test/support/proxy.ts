import { connect, createServer, type Socket } from 'node:net';

export interface Proxy {
  port: number;
  /**
   * From the client's next message that holds `text` on, nothing comes back on that connection; the message itself goes
   * through. With `then` it is the next message of the same connection which holds that. Resolves when that has happened.
   */
  muteAfter: (text: string, then?: string) => Promise<void>;
  /** The same, but the connection is cut: before the server gets the message, or before the client gets its answer. */
  cutAt: (side: 'before' | 'after', text: string, then?: string) => Promise<void>;
  /** Everything takes so many milliseconds longer, in each direction. */
  delay: (milliseconds: number) => void;
  /** Nothing gets through, not even the end of a connection, until it is thawed. */
  freeze: () => void;
  thaw: () => void;
  /** Breaks the server's end of all connections without telling the clients: they talk to nobody. New ones are as ever. */
  halfOpen: () => void;
  /** New connections go to another server from here on. */
  redirect: (targetPort: number) => void;
  /** Breaks all connections. */
  cut: () => void;
  close: () => Promise<void>;
}

interface Link {
  readonly client: Socket;
  readonly target: Socket;
  /** Nothing goes back to the client any more. */
  muted: boolean;
  /** The client's end is left standing when the server's breaks. */
  abandoned: boolean;
  /** One of them has closed; the other is told when that gets through. */
  ended: boolean;
  flush: () => void;
}

/** What is done with the connection whose client next sends `text`; gives whether that is passed on. */
interface Trigger {
  readonly text: string;
  readonly then: string | undefined;
  readonly act: (link: Link) => boolean;
  /** The connection that has sent `text`, and is to send `then`. */
  on?: Link;
}

/** A TCP proxy in front of a server of this machine, to be slow, to lose answers and to break on purpose. */
export async function startProxy(targetPort: number): Promise<Proxy> {
  let port = targetPort;
  const links = new Set<Link>();
  const weather = { delayMs: 0, frozen: false };
  let trigger: Trigger | undefined;

  const passes = (link: Link, data: Buffer): boolean => {
    if (trigger === undefined || (trigger.on ?? link) !== link) return true;
    const { text, then, act } = trigger;
    if (trigger.on === undefined && then !== undefined) {
      if (data.includes(text)) trigger.on = link;
      return true;
    }
    if (!data.includes(then ?? text)) return true;
    trigger = undefined;
    return act(link);
  };

  const end = (link: Link) => {
    link.client.destroy();
    link.target.destroy();
    links.delete(link);
    if (trigger?.on === link) trigger.on = undefined; // Another one will send it.
  };
  const whenSent = (text: string, then: string | undefined, act: (link: Link) => boolean) =>
    new Promise<void>((resolve) => {
      trigger = {
        text,
        then,
        act: (link) => {
          resolve();
          return act(link);
        },
      };
    });

  const server = createServer((client) => {
    const target = connect(port, '127.0.0.1');
    const up = createLane(target, weather);
    const down = createLane(client, weather);
    const flush = () => [up, down].forEach((lane) => lane.flush());
    const link: Link = { client, target, muted: false, abandoned: false, ended: false, flush };
    links.add(link);
    client.on('data', (data) => passes(link, data) && up.send(data));
    target.on('data', (data) => link.muted || down.send(data));
    for (const socket of [client, target]) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        if (link.abandoned && socket === target) return;
        link.ended = true;
        if (!weather.frozen) end(link);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const cut = () => links.forEach(({ client }) => client.destroy());

  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    muteAfter: (text, then) => whenSent(text, then, (link) => (link.muted = true)),
    cutAt: (side, text, then) =>
      whenSent(text, then, ({ client, target }) => {
        if (side === 'before') client.destroy();
        else target.prependOnceListener('data', () => client.destroy());
        return side === 'after';
      }),
    delay: (milliseconds) => (weather.delayMs = milliseconds),
    freeze: () => (weather.frozen = true),
    thaw: () => {
      weather.frozen = false;
      links.forEach((link) => (link.ended ? end(link) : link.flush()));
    },
    halfOpen: () =>
      links.forEach((link) => {
        link.abandoned = true;
        link.target.destroy();
      }),
    redirect: (other) => (port = other),
    cut,
    close: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** One direction of a connection: what is sent first arrives first, however the delay changes. */
function createLane(to: Socket, weather: { delayMs: number; frozen: boolean }) {
  const waiting: { data: Buffer; due: number }[] = [];
  const flush = () => {
    if (weather.frozen) return;
    for (let [first] = waiting; first !== undefined && first.due <= performance.now(); [first] = waiting) {
      if (to.writable) to.write(first.data);
      waiting.shift();
    }
    const [next] = waiting;
    if (next !== undefined) setTimeout(flush, Math.ceil(next.due - performance.now()));
  };
  return {
    flush,
    send: (data: Buffer) => {
      const due = Math.max(waiting.at(-1)?.due ?? 0, performance.now() + weather.delayMs);
      waiting.push({ data, due });
      if (waiting.length === 1) flush();
    },
  };
}
