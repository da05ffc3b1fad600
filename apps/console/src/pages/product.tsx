import { useSignal } from '@preact/signals';
import { ActionDialog } from '../components/action-dialog';
import { Facts } from '../components/facts';
import { Badge, Failure, PageHeading, type Tone } from '../components/states';
import { CursorPager } from '../components/pager';
import { Table } from '../components/table';
import { count, money, moment } from '../format';
import { usePolled } from '../polling';
import { hrefOf } from '../route';
import type { List, Movement, Product } from '../types';

const EVERY_MS = 5_000;
const TONES: Readonly<Record<string, Tone>> = { sale: 'busy', hold: 'warn', release: 'good', correction: 'bad' };

/** One product: its stock, and everything that has changed it. */
export function ProductPage({ id }: { readonly id: number }) {
  const before = useSignal<number | undefined>(undefined);
  const product = usePolled<Product>(`products/${id}`, EVERY_MS);
  const from = before.value === undefined ? '' : `&before=${before.value}`;
  const movements = usePolled<List<Movement>>(`products/${id}/stock-movements?page_size=50${from}`, EVERY_MS);
  const refresh = () => {
    product.refresh();
    movements.refresh();
  };
  const { data } = product;
  return (
    <>
      <PageHeading title={data === undefined ? `Product ${id}` : data.name}>
        {data !== undefined && <Adjustment product={data} onDone={refresh} />}
      </PageHeading>
      <Failure error={product.error ?? movements.error} />
      {data !== undefined && (
        <Facts
          facts={{
            Product: data.id,
            Stock: <strong>{count(data.stock)}</strong>,
            'A customer may have': data.max_per_customer === null ? 'any number' : count(data.max_per_customer),
            Price: money(data.price),
            Created: moment(data.created_at),
            Changed: moment(data.updated_at),
          }}
        />
      )}
      <h2>Stock movements</h2>
      {movements.data !== undefined && <Movements movements={movements.data.items} />}
      <CursorPager before={before} next={movements.data?.next} />
    </>
  );
}

function Adjustment({ product, onDone }: { readonly product: Product; readonly onDone: () => void }) {
  return (
    <ActionDialog
      name="Adjust the stock"
      confirm="Adjust"
      path={`ops/products/${product.id}/stock-adjustments`}
      bodyOf={(valueOf) => ({
        delta: Number(valueOf('delta')),
        reason: valueOf('reason'),
        expected_stock: product.stock,
      })}
      onDone={onDone}
    >
      <p>The stock is {count(product.stock)} now. When it has changed meanwhile, nothing is done.</p>
      <label>
        <span>Units to add, or to take away with a minus</span>
        <input name="delta" type="number" step="1" required inputMode="numeric" />
      </label>
      <label>
        <span>Reason, for the ledger</span>
        <input name="reason" required maxLength={255} />
      </label>
    </ActionDialog>
  );
}

function Movements({ movements }: { readonly movements: readonly Movement[] }) {
  return (
    <Table
      caption="Stock movements"
      columns={['When', 'Kind', 'Units', 'Stock after', 'Belongs to', 'Reason']}
      numbers={[2, 3]}
      rows={movements.map((movement) => [
        moment(movement.created_at),
        <Badge tone={TONES[movement.kind] ?? 'plain'}>{movement.kind}</Badge>,
        movement.quantity > 0 ? `+${count(movement.quantity)}` : count(movement.quantity),
        count(movement.stock_after),
        <Owner movement={movement} />,
        <bdi>{movement.reason ?? ''}</bdi>,
      ])}
    />
  );
}

function Owner({ movement: { order_id: order, reservation_id: reservation } }: { readonly movement: Movement }) {
  if (order !== null) return <a href={hrefOf(`/orders/${order}`)}>order {order}</a>;
  return <>{reservation === null ? '' : `reservation ${reservation}`}</>;
}
