import { ActionDialog } from '../components/action-dialog';
import { Badge, Failure, PageHeading } from '../components/states';
import { Table } from '../components/table';
import { count, duration, moment } from '../format';
import { usePolled } from '../polling';
import { hrefOf } from '../route';
import type { AuditRun, List } from '../types';

const REPAIRABLE = new Set(['LEDGER_BROKEN', 'STOCK_DIFFERS']);

/** The comparison of stock, ledger and orders: the last runs, and what to do about what they found. */
export function AuditPage() {
  const runs = usePolled<List<AuditRun>>('ops/audit-runs?limit=20', 5_000);
  const [last] = runs.data?.items ?? [];
  return (
    <>
      <PageHeading title="Audit">
        <ActionDialog name="Audit now" confirm="Audit" path="ops/audit-runs" bodyOf={() => ({})} onDone={runs.refresh}>
          <p>
            A worker compares all stock, the whole ledger and all orders. It blocks no sale; the run is in the list when
            it has ended.
          </p>
        </ActionDialog>
      </PageHeading>
      <Failure error={runs.error} />
      {last !== undefined && last.findings.length > 0 && <Findings run={last} />}
      {runs.data !== undefined && <Runs runs={runs.data.items} />}
    </>
  );
}

function Runs({ runs }: { readonly runs: readonly AuditRun[] }) {
  return (
    <Table
      caption="Audits"
      columns={['Ended', 'Result', 'Took', 'Products', 'Orders', 'Movements']}
      numbers={[3, 4, 5]}
      empty="There was no audit yet. A worker makes one every night at three (UTC)"
      rows={runs.map((run) => [
        moment(run.finished_at),
        <Badge tone={run.status === 'clean' ? 'good' : 'bad'}>{run.status}</Badge>,
        duration((Date.parse(run.finished_at ?? '') - Date.parse(run.started_at ?? '')) / 1_000),
        count(run.products),
        count(run.orders),
        count(run.movements),
      ])}
    />
  );
}

function Findings({ run }: { readonly run: AuditRun }) {
  const isRepairable = run.findings.some(({ finding }) => REPAIRABLE.has(finding));
  return (
    <section class="findings" aria-label="Findings of the last audit">
      <h2>Findings of the last audit</h2>
      {run.findings.map(({ finding, meaning, count: total, examples }) => (
        <article key={finding} class="tile">
          <h3>
            <code>{finding}</code> {count(total)}
          </h3>
          <p>{meaning}</p>
          <Table
            caption={`Examples of ${finding}`}
            columns={['Product', 'Order', 'Reservation', 'Expected', 'Found']}
            numbers={[3, 4]}
            rows={examples.map((example) => [
              example.product_id === null ? (
                ''
              ) : (
                <a href={hrefOf(`/products/${example.product_id}`)}>product {example.product_id}</a>
              ),
              example.order_id === null ? (
                ''
              ) : (
                <a href={hrefOf(`/orders/${example.order_id}`)}>order {example.order_id}</a>
              ),
              example.reservation_id ?? '',
              count(example.expected),
              count(example.found),
            ])}
          />
        </article>
      ))}
      {isRepairable && <Repair />}
    </section>
  );
}

/** The ledger belongs to the owner of the database, whose password no server has. */
function Repair() {
  return (
    <p class="notice">
      A correction makes the ledger tell the stock that is there; it changes no stock. Only the owner of the database
      may write one, so it is no button here. In a terminal, this shows each correction and asks:
      <code class="command">npm run audit -- --repair --reason "why the ledger was wrong"</code>
    </p>
  );
}
