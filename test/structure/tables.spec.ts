import { globSync, readFileSync } from 'node:fs';

/** The rooms whose SQL may name a table. Audit and backup read all of them. */
const OWNERS: Record<string, readonly string[]> = {
  products: ['products', 'stock'],
  stock_movements: ['stock'],
  customer_counts: ['stock'],
  orders: ['orders'],
  order_items: ['orders'],
  order_events: ['orders'],
  reservations: ['reservations'],
  reservation_items: ['reservations'],
  fulfilment_undos: ['orders'],
  event_subscriptions: ['events'],
  event_deliveries: ['events'],
  idempotency_keys: ['idempotency'],
  row_counts: ['database'],
  row_count_changes: ['database'],
  audit_runs: ['audit'],
  workers: ['workers'],
  minute_statistics: ['statistics'],
  actions: ['actions'],
  api_keys: ['access'],
};
/** The files that write a table by SQL; `products` is also written by `ProductService`, through its entity. */
const WRITERS: Record<string, string> = {
  products: 'stock/stock-ledger.ts',
  stock_movements: 'stock/stock-ledger.ts',
  customer_counts: 'stock/customers/customer-counts.ts',
  orders: 'orders/order-writer.ts',
  order_items: 'orders/order-writer.ts',
  order_events: 'orders/history/order-event-writer.ts',
  reservations: 'reservations/reservation-writer.ts',
  reservation_items: 'reservations/reservation-writer.ts',
  fulfilment_undos: 'orders/fulfilment-undo-writer.ts',
  event_subscriptions: 'events/subscription-writer.ts',
  event_deliveries: 'events/subscription-writer.ts',
  idempotency_keys: 'idempotency/idempotency-key-writer.ts',
  row_counts: 'database/lists/row-count-folding.ts',
  row_count_changes: 'database/lists/row-count-folding.ts',
  audit_runs: 'audit/audit.service.ts',
  workers: 'workers/worker-rows.ts',
  minute_statistics: 'statistics/minute-statistics.ts',
  actions: 'actions/action.ts',
  api_keys: 'access/api-key-rows.ts',
};

const tables = Object.keys(OWNERS).join('|');
const WRITE = new RegExp(`(?:INSERT\\s+INTO|\\bUPDATE|DELETE\\s+FROM)\\s+"?(${tables})\\b`, 'g');
const MENTION = new RegExp(`(?:\\bINTO|\\bUPDATE|\\bFROM|\\bJOIN)\\s+"?(${tables})\\b`, 'g');
const ENTITY_WRITE = /\b(?:manager|repository)\.(?:save|insert|update|upsert|delete|remove|softRemove|softDelete)\(/;

const files = globSync('src/**/*.ts')
  .filter((file) => !/\.spec\.ts$|^src\/(audit\/audit-statement|backup\/)/.test(file))
  .map((file) => ({ name: file.slice('src/'.length), text: readFileSync(file, 'utf8') }));

const namedBy = (pattern: RegExp, text: string) => new Set([...text.matchAll(pattern)].map(([, table = '']) => table));

describe('each table', () => {
  it.each(Object.entries(WRITERS))('%s is written in one file, %s', (table, writer) => {
    const writers = files.filter(({ text }) => namedBy(WRITE, text).has(table)).map(({ name }) => name);
    expect(writers).toEqual([writer]);
  });

  it.each(Object.entries(OWNERS))('%s is named by the SQL of its room alone', (table, rooms) => {
    const others = files
      .filter(({ name, text }) => namedBy(MENTION, text).has(table) && !rooms.includes(name.split('/')[0] ?? ''))
      .map(({ name }) => name);
    expect(others).toEqual([]);
  });

  it('is written through an entity by ProductService alone', () => {
    const writers = files.filter(({ text }) => ENTITY_WRITE.test(text)).map(({ name }) => name);
    expect(writers).toEqual(['products/product.service.ts']);
  });
});
