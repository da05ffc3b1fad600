import type { DataSource } from 'typeorm';
import { foundIds, type FoundIds } from '../database/lists/row-counts.js';
import { readPrepared } from '../database/prepared-statement.js';
import type { Owner } from '../kernel/access/owner.js';
import { offsetOf, type PageRequest } from '../kernel/page.js';
import { ordersOfRequest } from './history/order-event.js';
import type { OrderStatus } from './order-status.js';

/** Orders of one request that are found: a client may give all its requests the same id. */
const MAX_OF_REQUEST = 1_000;
/** Orders of a search are counted so far, and its pages end there; `before` leads further. */
export const MAX_COUNTED = 10_000;

/** Which orders a list has. */
export interface OrderFilter {
  readonly owner: Owner;
  readonly status?: OrderStatus | undefined;
  readonly customerRef?: string | undefined;
  /** Only those that a request with this id has bought or cancelled. */
  readonly requestId?: string | undefined;
}

/** Whether the filter leaves few orders, whose number is not kept. */
export function isNarrow({ owner, customerRef, requestId }: OrderFilter): boolean {
  return owner !== null || customerRef !== undefined || requestId !== undefined;
}

/** The ids of a page of a narrow filter, the highest first, and how many there are: {@link MAX_COUNTED} at most. */
export async function findOrders(dataSource: DataSource, filter: OrderFilter, request: PageRequest): Promise<FoundIds> {
  const { before, pageSize } = request;
  const { name, where, values } = conditionOf(filter);
  const next = values.length + 1;
  const offset = before === undefined ? offsetOf(request) : 0;
  const [found] = await readPrepared<{ total: number; ids: number[] }>(dataSource, {
    name: `find-orders${name}`,
    text: `SELECT (SELECT count(*)::integer FROM (SELECT FROM orders WHERE ${where} LIMIT ${MAX_COUNTED}) AS counted) AS total,
             ARRAY(SELECT id FROM orders WHERE ${where} AND id < $${next} ORDER BY id DESC OFFSET $${next + 1} LIMIT $${next + 2}) AS ids`,
    values: [
      ...values,
      before ?? Number.MAX_SAFE_INTEGER,
      Math.min(offset, MAX_COUNTED),
      offset < MAX_COUNTED ? pageSize + 1 : 0,
    ],
  });
  return foundIds(found?.total ?? 0, found?.ids ?? [], request);
}

/** Of those parts that are given, so that each filter has its own plan. */
function conditionOf({ owner, customerRef, status, requestId }: OrderFilter) {
  // Either is the first parameter, and where both are given they have to be equal.
  const customer = owner === null && customerRef === undefined ? undefined : '$1';
  const parts = [
    { name: 'owner', value: owner ?? undefined, text: (parameter: string) => `customer_ref = ${parameter}` },
    { name: 'customer', value: customerRef, text: (parameter: string) => `customer_ref = ${parameter}` },
    { name: 'status', value: status, text: (parameter: string) => `status = ${parameter}` },
    {
      name: 'request',
      value: requestId,
      text: (parameter: string) => `id IN (${ordersOfRequest(parameter, MAX_OF_REQUEST, customer)})`,
    },
  ].filter(({ value }) => value !== undefined);
  return {
    name: parts.map((part) => `-${part.name}`).join(''),
    where: parts.map(({ text }, index) => text(`$${index + 1}`)).join(' AND '),
    values: parts.map(({ value }) => value),
  };
}
