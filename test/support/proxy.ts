import { createServer, connect, type Socket } from 'node:net';

export interface Proxy {
  port: number;
  /**
   * From the client's next message that holds `text` on, nothing comes back on that connection; the message itself goes
   * through. With `then` it is the next message of the same connection which holds that. Resolves when that has happened.
   */
  muteAfter: (text: string, then?: string) => Promise<void>;
  close: () => Promise<void>;
}

/** A TCP proxy in front of a server of this machine, to lose answers on purpose. */
export async function startProxy(targetPort: number): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let trigger: { text: string; then: string | undefined; on?: Socket; fired: () => void } | undefined;
  const server = createServer((client) => {
    const target = connect(targetPort, '127.0.0.1');
    let muted = false;
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        target.destroy();
      });
    }
    client.on('data', (data) => {
      if (trigger !== undefined && data.includes(trigger.text) && (trigger.on ?? client) === client) {
        if (trigger.then === undefined) {
          trigger.fired();
          trigger = undefined;
          muted = true;
        } else trigger = { ...trigger, text: trigger.then, then: undefined, on: client };
      }
      target.write(data);
    });
    target.on('data', (data) => muted || client.write(data));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    muteAfter: (text, then) => new Promise((resolve) => (trigger = { text, then, fired: resolve })),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
