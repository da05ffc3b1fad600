import { useSignal } from '@preact/signals';
import { Failure, PageHeading } from '../components/states';
import { CursorPager } from '../components/pager';
import { Table } from '../components/table';
import { moment, NONE, words } from '../format';
import { usePolled } from '../polling';
import { hrefOf } from '../route';
import type { Action, List } from '../types';

/** What operators have done. */
export function ActionsPage() {
  const before = useSignal<number | undefined>(undefined);
  const from = before.value === undefined ? '' : `&before=${before.value}`;
  const actions = usePolled<List<Action>>(`actions?page_size=50${from}`, 10_000);
  return (
    <>
      <PageHeading title="Actions" />
      <p class="note">
        What was done here, by the paths below /ops, and with keys. Nobody can change this list or shorten it.
      </p>
      <Failure error={actions.error} />
      {actions.data !== undefined && <Actions actions={actions.data.items} />}
      <CursorPager before={before} next={actions.data?.next} />
    </>
  );
}

function Actions({ actions }: { readonly actions: readonly Action[] }) {
  return (
    <Table
      caption="Actions"
      columns={['When', 'What', 'Who', 'Details', 'Request']}
      empty="Nobody has done anything yet"
      rows={actions.map((action) => [
        moment(action.created_at),
        words(action.type),
        action.actor ?? NONE,
        <Details details={action.details} />,
        <code>{action.request_id ?? NONE}</code>,
      ])}
    />
  );
}

function Details({ details }: { readonly details: Readonly<Record<string, unknown>> }) {
  return (
    <>
      {Object.entries(details).map(([name, value]) => (
        <span class="detail" key={name}>
          {words(name)}: <Value name={name} value={value} />{' '}
        </span>
      ))}
    </>
  );
}

/** What is in an object stands behind its names. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.join(', ');
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return value === null ? NONE : JSON.stringify(value);
  return Object.entries(value)
    .map(([name, each]) => `${words(name)} ${textOf(each)}`)
    .join(', ');
}

function Value({ name, value }: { readonly name: string; readonly value: unknown }) {
  if (name === 'order_id') return <a href={hrefOf(`/orders/${String(value)}`)}>{String(value)}</a>;
  if (name === 'product_id') return <a href={hrefOf(`/products/${String(value)}`)}>{String(value)}</a>;
  const text = textOf(value);
  return <bdi>{text}</bdi>;
}
