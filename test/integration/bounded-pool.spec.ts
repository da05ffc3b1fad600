import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { PoolClient } from 'pg';
import { BoundedPool } from '../../src/database/bounded-pool.js';

/** A message of the protocol of PostgreSQL: its type, its length, and what it holds. */
function message(type: string, content: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(content.length + 4, 1);
  return Buffer.concat([head, content]);
}

const AUTHENTICATED = message('R', Buffer.alloc(4));
const READY = message('Z', Buffer.from('I'));
const ENDED = message(
  'E',
  Buffer.from('SFATAL\0C57P01\0Mterminating connection due to unexpected postmaster exit\0\0'),
);

/** PostgreSQL that dies in the moment in which it has let a client in. */
let server: Server;

beforeAll(async () => {
  server = createServer((socket) => {
    socket.once('data', () => socket.end(Buffer.concat([AUTHENTICATED, READY, ENDED])));
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterAll(() => server.close());

it('a connection that ends in the moment in which it is given out ends no process', async () => {
  const { port } = server.address() as AddressInfo;
  const pool = new BoundedPool({ host: '127.0.0.1', port, user: 'x', database: 'x', ssl: false });
  pool.on('error', () => undefined);
  // As TypeORM takes it: whoever waits for the promise listens for errors a moment later.
  const client = await new Promise<PoolClient>((resolve, reject) => {
    pool.connect((error, given) => (given === undefined ? reject(error ?? new Error('none')) : resolve(given)));
  });
  await expect(client.query('SELECT 1')).rejects.toThrow();
  client.release(true);
  await pool.end();
});
