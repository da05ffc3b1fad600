import { now } from '../api';
import { ActionDialog } from '../components/action-dialog';
import { Facts } from '../components/facts';
import { Failure, PageHeading, StatusBadge } from '../components/states';
import { Table } from '../components/table';
import { Timeline } from '../components/timeline';
import { count, duration, money, moment } from '../format';
import { usePolled } from '../polling';
import { hrefOf } from '../route';
import type { DeadLetter, List, Order, OrderEvent, Page } from '../types';

const OPEN = ['pending', 'processing'];

/** One order: what was bought, and its whole life with its request and its job. */
export function OrderPage({ id }: { readonly id: number }) {
  const order = usePolled<Order>(`orders/${id}`, 2_000);
  const events = usePolled<List<OrderEvent>>(`orders/${id}/events`, 2_000);
  const isOpen = order.data !== undefined && OPEN.includes(order.data.status);
  const letters = usePolled<Page<DeadLetter>>(isOpen ? `ops/dead-letters?order_id=${id}` : undefined, 15_000);
  const letter = letters.data?.items[0];
  const refresh = () => {
    order.refresh();
    events.refresh();
    letters.refresh();
  };
  return (
    <>
      <PageHeading title={`Order ${id}`}>
        {isOpen && <Cancellation id={id} onDone={refresh} />}
        {letter !== undefined && <Redrive letter={letter} onDone={refresh} />}
      </PageHeading>
      <Failure error={order.error ?? events.error} />
      {order.data !== undefined && <OrderFacts order={order.data} events={events.data?.items ?? []} />}
      {letter !== undefined && (
        <p class="failure">
          This order is a dead letter: its job has ended several workers ({letter.reason}), so that the system no longer
          tries it by itself.
        </p>
      )}
      <h2>Its life</h2>
      {events.data !== undefined && <Timeline events={events.data.items} />}
      <h2>Items</h2>
      {order.data !== undefined && <Items order={order.data} />}
    </>
  );
}

function OrderFacts({ order, events }: { readonly order: Order; readonly events: readonly OrderEvent[] }) {
  const isOpen = OPEN.includes(order.status);
  const until = isOpen ? now() : Date.parse(order.updated_at);
  const seconds = Math.max((until - Date.parse(order.created_at)) / 1_000, 0);
  return (
    <Facts
      facts={{
        Status: <StatusBadge status={order.status} />,
        Total: money(order.total_price),
        Customer: <CustomerLink customer={order.customer_ref} />,
        Bought: moment(order.created_at),
        [isOpen ? 'Open for' : 'Took']: duration(seconds),
        Request: <RequestLink id={events[0]?.request_id ?? null} />,
        Job: <code>{events.findLast(({ job_id: job }) => job !== null)?.job_id ?? 'none yet'}</code>,
      }}
    />
  );
}

/** To all orders of the customer. */
function CustomerLink({ customer }: { readonly customer: string | null }) {
  if (customer === null) return <>not known</>;
  return (
    <a href={hrefOf('/orders', { customer_ref: customer })}>
      <bdi>{customer}</bdi>
    </a>
  );
}

/** To all orders of the request. */
function RequestLink({ id }: { readonly id: string | null }) {
  if (id === null) return <>not known</>;
  return (
    <a href={hrefOf('/orders', { request_id: id })}>
      <code>{id}</code>
    </a>
  );
}

function Cancellation({ id, onDone }: { readonly id: number; readonly onDone: () => void }) {
  return (
    <ActionDialog
      name="Cancel the order"
      confirm="Cancel it"
      tone="danger"
      path={`ops/orders/${id}/cancel`}
      bodyOf={(valueOf) => ({ reason: valueOf('reason') })}
      onDone={onDone}
    >
      <p>Its stock goes back, and whatever the gateway has done for it is undone.</p>
      <label>
        <span>Reason</span>
        <input name="reason" required maxLength={255} />
      </label>
    </ActionDialog>
  );
}

function Redrive({ letter, onDone }: { readonly letter: DeadLetter; readonly onDone: () => void }) {
  return (
    <ActionDialog
      name="Try it again"
      confirm="Try it again"
      path="ops/dead-letters/redrive"
      bodyOf={() => ({ filter: { order_ids: [letter.order_id] }, expected_count: 1 })}
      onDone={onDone}
    >
      <p>The order gets a new job. If it ends its worker once more, it becomes a dead letter again.</p>
    </ActionDialog>
  );
}

function Items({ order }: { readonly order: Order }) {
  return (
    <Table
      caption="Items"
      columns={['Product', 'Units', 'Price', 'Sum']}
      numbers={[1, 2, 3]}
      rows={order.items.map((item) => [
        <a href={hrefOf(`/products/${item.product_id}`)}>product {item.product_id}</a>,
        count(item.quantity),
        money(item.unit_price),
        money(item.line_total),
      ])}
    />
  );
}
