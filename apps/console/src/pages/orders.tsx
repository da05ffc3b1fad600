import { ChoiceFilter, TextFilter } from '../components/filter';
import { Pager } from '../components/pager';
import { Failure, PageHeading, StatusBadge } from '../components/states';
import { Table } from '../components/table';
import { count, money, moment, NONE } from '../format';
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
  const customer = filters.get('customer_ref') ?? '';
  const chosen = { status, request_id: requestId, customer_ref: customer };
  const page = filters.get('page') ?? '1';
  const query = new URLSearchParams({ page, page_size: String(PAGE_SIZE), ...chosen });
  const orders = usePolled<Page<Order>>(`orders?${query.toString()}`, 5_000);
  const filter = (change: Readonly<Record<string, string>>) =>
    go(hrefOf('/orders', { ...chosen, ...change }), { replaces: true });
  return (
    <>
      <PageHeading title="Orders">
        <OrderNumber />
        <TextFilter label="Request id" value={requestId} onChange={(text) => filter({ request_id: text })} />
        <TextFilter label="Customer" value={customer} onChange={(text) => filter({ customer_ref: text })} />
        <ChoiceFilter
          label="Status"
          value={status}
          choices={STATUSES}
          onChange={(choice) => filter({ status: choice })}
        />
      </PageHeading>
      <Failure error={orders.error} />
      {orders.data !== undefined && <Orders orders={orders.data.items} />}
      <Pager page={orders.data} hrefOfPage={(to) => hrefOf('/orders', { ...chosen, page: to })} />
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
      columns={['Order', 'Status', 'Customer', 'Products', 'Units', 'Total', 'Bought', 'Changed']}
      numbers={[4, 5]}
      empty="There is no such order"
      rows={orders.map((order) => [
        <a href={hrefOf(`/orders/${order.id}`)}>{order.id}</a>,
        <StatusBadge status={order.status} />,
        <bdi>{order.customer_ref ?? NONE}</bdi>,
        order.product_id === null ? `${order.items.length} products` : `product ${order.product_id}`,
        count(order.quantity),
        money(order.total_price),
        moment(order.created_at),
        moment(order.updated_at),
      ])}
    />
  );
}
