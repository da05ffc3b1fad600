import { useSignal } from '@preact/signals';
import { now } from '../api';
import { ActionDialog } from '../components/action-dialog';
import { Badge, Failure, PageHeading } from '../components/states';
import { Table } from '../components/table';
import { Pager } from '../components/pager';
import { count, duration, moment } from '../format';
import { usePolled } from '../polling';
import { hrefOf, route } from '../route';
import { isAlive, silentSeconds } from '../workers';
import type { DeadLetter, List, Page, Queue, Worker } from '../types';

const PAGE_SIZE = 20;

/** What waits, who works on it, and what needs somebody. */
export function QueuesPage() {
  const queues = usePolled<List<Queue>>('ops/queues', 5_000);
  const workers = usePolled<List<Worker>>('ops/workers', 5_000);
  return (
    <>
      <PageHeading title="Queues" />
      <Failure error={queues.error} />
      {queues.data !== undefined && <Queues queues={queues.data.items} />}
      <h2>Workers</h2>
      <Failure error={workers.error} />
      {workers.data !== undefined && <Workers workers={workers.data.items} />}
      <DeadLetters />
    </>
  );
}

function Queues({ queues }: { readonly queues: readonly Queue[] }) {
  return (
    <Table
      caption="Queues"
      columns={['Queue', 'Waiting', 'Active', 'Delayed', 'Failed']}
      numbers={[1, 2, 3, 4]}
      rows={queues.map(({ name, waiting, active, delayed, failed }) => [
        name,
        ...[waiting, active, delayed, failed].map(count),
      ])}
    />
  );
}

function Workers({ workers }: { readonly workers: readonly Worker[] }) {
  return (
    <Table
      caption="Workers"
      columns={['Worker', 'Last seen', 'Orders in hand', 'At most', 'Runs since', 'Version']}
      numbers={[2, 3]}
      empty="No worker: nothing is processed. npm run start:worker starts one"
      rows={workers.map((worker) => [
        <code>{worker.id.slice(0, 8)}</code>,
        <LastSeen worker={worker} />,
        count(worker.in_flight),
        count(worker.concurrency),
        moment(worker.started_at),
        worker.version,
      ])}
    />
  );
}

function LastSeen({ worker }: { readonly worker: Worker }) {
  const silent = duration(silentSeconds(worker));
  return isAlive(worker) ? <>{silent} ago</> : <Badge tone="bad">silent for {silent}</Badge>;
}

/** What is acted on is the set that was counted: what has failed since is no part of it. */
function DeadLetters() {
  const seenAt = useSignal(new Date(now()).toISOString());
  const page = route.value.filters.get('page') ?? '1';
  const query = new URLSearchParams({ page, page_size: String(PAGE_SIZE), failed_to: seenAt.value });
  const letters = usePolled<Page<DeadLetter>>(`ops/dead-letters?${query.toString()}`, 30_000);
  const look = () => (seenAt.value = new Date(now()).toISOString());
  const total = letters.data?.total ?? 0;
  return (
    <>
      <PageHeading level={2} title="Dead letters">
        <button type="button" onClick={look}>
          Look again
        </button>
        {total > 0 && <RedriveAll count={total} failedTo={seenAt.value} onDone={look} />}
      </PageHeading>
      <p class="note">Open orders whose job has ended several workers. They failed before {moment(seenAt.value)}.</p>
      <Failure error={letters.error} />
      {letters.data !== undefined && <Letters letters={letters.data.items} />}
      {total > PAGE_SIZE && <Pager page={letters.data} hrefOfPage={(to) => hrefOf('/queues', { page: to })} />}
    </>
  );
}

interface RedriveAllProps {
  readonly count: number;
  readonly failedTo: string;
  readonly onDone: () => void;
}

function RedriveAll({ count: total, failedTo, onDone }: RedriveAllProps) {
  return (
    <ActionDialog
      name={`Try all ${count(total)} again`}
      confirm={`Try ${count(total)} again`}
      path="ops/dead-letters/redrive"
      bodyOf={() => ({ filter: { failed_to: failedTo }, expected_count: total })}
      onDone={onDone}
    >
      <p>
        {count(total)} orders that failed before {moment(failedTo)} get a new job each. When there are more or fewer by
        now, nothing is done.
      </p>
    </ActionDialog>
  );
}

function Letters({ letters }: { readonly letters: readonly DeadLetter[] }) {
  return (
    <Table
      caption="Dead letters"
      columns={['Order', 'Failed', 'Failed attempts', 'Job', 'Reason']}
      numbers={[2]}
      empty="None"
      rows={letters.map((letter) => [
        <a href={hrefOf(`/orders/${letter.order_id}`)}>order {letter.order_id}</a>,
        moment(letter.failed_at),
        count(letter.attempts),
        <code>{letter.job_id}</code>,
        letter.reason,
      ])}
    />
  );
}
