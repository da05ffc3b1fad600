import { stripVTControlCharacters } from 'node:util';
import { LogLines } from '../../tools/log-lines.ts';

describe('the lines of npm start', () => {
  const show = (lines: object[], showsOrders = true) => {
    const shown: string[] = [];
    const write = (line: string) => void shown.push(stripVTControlCharacters(line));
    const target = new LogLines({ write, colorize: false, showsOrders });
    for (const line of lines) target.show('api', JSON.stringify(line));
    return shown;
  };
  const access = (fields: object) => ({ level: 'info', context: 'Access', message: 'x', ...fields });
  const purchase = { method: 'POST', path: '/api/v1/orders', duration_ms: 3.2, request_id: 'r-1' };

  it('show each purchase and each end of an order in a terminal', () => {
    expect(
      show([
        access({ ...purchase, status: 201, order_id: 7 }),
        access({ ...purchase, status: 400, code: 'INSUFFICIENT_STOCK' }),
        { message: 'Order #7 Processed.', order_id: 7, duration_ms: 5_012, request_id: 'r-1' },
        { message: 'The order failed and its stock was released', order_id: 8 },
        access({ method: 'POST', path: '/api/v1/orders/9/cancel', status: 200, order_id: 9 }),
      ]),
    ).toEqual([
      'api       │ ✔ order #7 bought  3.2 ms  r-1',
      'api       │ ✘ nothing bought: INSUFFICIENT_STOCK  3.2 ms  r-1',
      'api       │ ✔ Order #7 Processed.  5.0 s  r-1',
      'api       │ ✘ order #8 failed',
      'api       │ ↩ order #9 cancelled',
    ]);
  });

  it('call no purchase bought whose outcome nobody knows, and show each error', () => {
    const hangUp = { level: 'error', message: 'The connection was closed without an answer' };
    const shown = show([
      access({ ...purchase, ...hangUp }),
      access({ method: 'POST', path: '/api/v1/reservations', ...hangUp }),
    ]);
    expect(shown).toHaveLength(2);
    for (const line of shown) expect(line).toContain('The connection was closed without an answer');
  });

  it('show of the other requests only those that failed', () => {
    const read = { method: 'GET', path: '/api/v1/products' };
    const shown = show([
      access({ ...read, status: 200 }),
      access({ ...read, status: 404 }),
      access({ ...read, status: 503 }),
    ]);
    expect(shown).toHaveLength(1);
    expect(shown[0]).toContain('"status":503');
  });

  it('count purchases that nobody could read', async () => {
    const shown = show(Array.from({ length: 100 }, (_each, id) => access({ ...purchase, status: 201, order_id: id })));
    expect(shown).toHaveLength(30);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect(shown.at(-1)).toContain('70 more in this second');
  });

  it('show everything elsewhere, and what is no JSON as it is', () => {
    expect(show([access({ ...purchase, status: 201, order_id: 7 })], false)[0]).toContain('"order_id":7');
    const shown: string[] = [];
    new LogLines({ write: (line) => void shown.push(line), colorize: false, showsOrders: true }).show(
      'worker',
      'Killed',
    );
    expect(shown).toEqual(['worker    │ Killed']);
  });
});
