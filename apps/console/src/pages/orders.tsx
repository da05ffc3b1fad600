import { ChoiceFilter, TextFilter } from '../components/filter';
import { Pager } from '../components/pager';
import { Failure, PageHeading, StatusBadge } from '../components/states';
import { Table } from '../components/table';
import { count, money, moment } from '../format';
import { usePolled } from '../polling';
import { go, hrefOf, route } from '../route';
import type { Order, Page } from '../types';

const PAGE_SIZE = 20;
const STATUSES = ['pending', 'processing', 'completed', 'failed', 'cancelled'];

/** All orders. The filters are the address, so that it can be sent to somebody. */
export function OrdersPage() {
  const { filters } = route.value;
  const status = filters.get('status') ?? '';
  const requestId = filters.get('request_id') ?? '';
  const page = filters.get('page') ?? '1';
  const query = new URLSearchParams({ page, page_size: String(PAGE_SIZE), status, request_id: requestId });
  const orders = usePolled<Page<Order>>(`orders?${query.toString()}`, 5_000);
  const filter = (change: Readonly<Record<string, string>>) =>
    go(hrefOf('/orders', { status, request_id: requestId, ...change }), { replaces: true });
  return (
    <>
      <PageHeading title="Orders">
        <OrderNumber />
        <TextFilter label="Request id" value={requestId} onChange={(text) => filter({ request_id: text })} />
        <ChoiceFilter
          label="Status"
          value={status}
          choices={STATUSES}
          onChange={(choice) => filter({ status: choice })}
        />
      </PageHeading>
      <Failure error={orders.error} />
      {orders.data !== undefined && <Orders orders={orders.data.items} />}
      <Pager page={orders.data} hrefOfPage={(to) => hrefOf('/orders', { status, request_id: requestId, page: to })} />
    </>
  );
}

/** Straight to one order. */
function OrderNumber() {
  const open = (event: SubmitEvent) => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const number = new FormData(event.currentTarget).get('number');
    if (typeof number === 'string' && /^\d+$/.test(number.trim())) go(hrefOf(`/orders/${number.trim()}`));
  };
  return (
    <form class="filter" onSubmit={open}>
      <label>
        <span>Order number</span>
        <input name="number" inputMode="numeric" autocomplete="off" enterKeyHint="go" />
      </label>
    </form>
  );
}

function Orders({ orders }: { readonly orders: readonly Order[] }) {
  return (
    <Table
      caption="Orders"
      columns={['Order', 'Status', 'Products', 'Units', 'Total', 'Bought', 'Changed']}
      numbers={[3, 4]}
      empty="There is no such order"
      rows={orders.map((order) => [
        <a href={hrefOf(`/orders/${order.id}`)}>{order.id}</a>,
        <StatusBadge status={order.status} />,
        order.product_id === null ? `${order.items.length} products` : `product ${order.product_id}`,
        count(order.quantity),
        money(order.total_price),
        moment(order.created_at),
        moment(order.updated_at),
      ])}
    />
  );
}
