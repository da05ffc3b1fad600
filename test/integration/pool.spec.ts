import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../support/eventually.js';
import { openTransaction, untilBlockedBy } from '../support/waiting.js';
import { useApi } from '../support/use-api.js';

const POOL_SIZE = 2;

describe('the pool of connections', () => {
  const { environment, api } = useApi({
    DATABASE_POOL_SIZE: String(POOL_SIZE),
    DATABASE_LOCK_TIMEOUT_MS: '1800',
    DATABASE_STATEMENT_TIMEOUT_MS: '1800',
  });

  const timed = async <T>(answer: Promise<T>) => {
    const start = performance.now();
    return { answer: await answer, elapsedMs: performance.now() - start };
  };
  const connections = async () => (await api.get('/health/ready')).body.details.connections;

  it('sheds load at once when it is exhausted and nobody gets a connection any more, and loses none of them', async () => {
    const held = [await api.createProduct(), await api.createProduct()];
    const free = await api.createProduct();
    const holder = await openTransaction(environment.sql);
    await holder.query('SELECT FROM products WHERE id = ANY ($1) FOR UPDATE', [held]);
    const busy = held.map((id) => api.put(`/products/${id}`, { price: 5 }));
    await untilBlockedBy(environment.sql, holder.pid, POOL_SIZE);

    const late = [];
    for (let sent = 0; sent < 15; sent++) {
      late.push(timed(api.put(`/products/${free}`, { price: 5 })));
      await delay(100);
    }
    await holder.end('ROLLBACK');
    const answers = await Promise.all(late);
    const shed = answers.filter(({ answer, elapsedMs }) => answer.status === 503 && elapsedMs < 300);
    expect(shed.length).toBeGreaterThan(0);
    expect(shed[0]?.answer.headers.get('Retry-After')).toBe('1');
    for (const { elapsedMs } of answers) expect(elapsedMs).toBeLessThan(5_000);
    await Promise.all(busy);

    const served = await Promise.all(Array.from({ length: 50 }, () => api.put(`/products/${free}`, { price: 6 })));
    expect(new Set(served.map(({ status }) => status))).toEqual(new Set([200]));
    await eventually(async () => {
      const { total, idle, waiting: left } = await connections();
      expect([total <= POOL_SIZE, total - idle <= 1, left]).toEqual([true, true, 0]);
    });
  });
});
