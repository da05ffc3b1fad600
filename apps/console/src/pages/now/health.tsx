import type { Tone } from '../../components/states';
import { count, moment } from '../../format';
import { usePolled } from '../../polling';
import { hrefOf } from '../../route';
import { isAlive } from '../../workers';
import type { AuditRun, DeadLetter, List, Page, Readiness, Worker } from '../../types';

const NAMES: Readonly<Record<string, string>> = { database: 'PostgreSQL', cache: 'Cache', queue: 'Queue' };

/** Whether the shop sells, and what it needs for that. */
export function Health() {
  const readiness = usePolled<Readiness>('health/ready', 10_000);
  const workers = usePolled<List<Worker>>('ops/workers', 10_000);
  const audits = usePolled<List<AuditRun>>('ops/audit-runs?limit=1', 30_000);
  const letters = usePolled<Page<DeadLetter>>('ops/dead-letters?page_size=1', 60_000);
  const alive = workers.data?.items.filter(isAlive) ?? [];
  const inFlight = alive.reduce((sum, worker) => sum + worker.in_flight, 0);
  const [audit] = audits.data?.items ?? [];
  const dead = letters.data?.total;
  return (
    <section class="health" aria-label="Health">
      <Readings readiness={readiness.data} isAway={readiness.error !== undefined} />
      <Reading tone={workers.data === undefined ? 'plain' : alive.length > 0 ? 'good' : 'bad'} name="Workers">
        {workers.data === undefined ? 'not known' : `${alive.length} alive, ${inFlight} orders in hand`}
      </Reading>
      <Reading
        tone={dead === undefined ? 'plain' : dead === 0 ? 'good' : 'bad'}
        name="Dead letters"
        href={hrefOf('/queues')}
      >
        {dead === undefined ? 'not known' : count(dead)}
      </Reading>
      <Reading
        tone={audit === undefined ? 'plain' : audit.status === 'clean' ? 'good' : 'bad'}
        name="Audit"
        href={hrefOf('/audit')}
      >
        {audits.data === undefined
          ? 'not known'
          : audit === undefined
            ? 'never run'
            : `${audit.status}, ${moment(audit.finished_at)}`}
      </Reading>
    </section>
  );
}

function Readings({ readiness, isAway }: { readonly readiness: Readiness | undefined; readonly isAway: boolean }) {
  if (isAway) {
    return (
      <Reading tone="bad" name="API">
        does not answer
      </Reading>
    );
  }
  const sells = readiness === undefined ? 'not known' : SELLS[readiness.status];
  return (
    <>
      <Reading tone={readiness === undefined ? 'plain' : TONES[readiness.status]} name="Shop">
        {sells}
      </Reading>
      {Object.entries(NAMES).map(([key, name]) => {
        const status = readiness?.details[key]?.status;
        return (
          <Reading key={key} tone={status === undefined ? 'plain' : status === 'up' ? 'good' : 'bad'} name={name}>
            {status ?? 'not known'}
          </Reading>
        );
      })}
    </>
  );
}

const SELLS = { ready: 'sells', degraded: 'sells, degraded', not_ready: 'does not sell' };
const TONES: Record<Readiness['status'], Tone> = { ready: 'good', degraded: 'warn', not_ready: 'bad' };

interface ReadingProps {
  readonly tone: Tone;
  readonly name: string;
  readonly href?: string;
  readonly children: string;
}

function Reading({ tone, name, href, children }: ReadingProps) {
  return (
    <div class="reading">
      <span class={`dot ${tone}`} aria-hidden="true" />
      {href === undefined ? <span>{name}</span> : <a href={href}>{name}</a>}
      <strong>{children}</strong>
    </div>
  );
}
