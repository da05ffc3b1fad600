import { useSignal } from '@preact/signals';
import { ActionDialog } from '../components/action-dialog';
import { CursorPager } from '../components/pager';
import { Badge, Failure, PageHeading } from '../components/states';
import { Table } from '../components/table';
import { moment, NONE } from '../format';
import { now } from '../api';
import { usePolled } from '../polling';
import type { IssuedKey, Key, List } from '../types';

const ROLES = ['storefront', 'fulfilment', 'operator', 'admin'];
const SCOPE = 'keys:manage';
/** An old secret stays good for a day, while what uses it is told the new one. */
const OVERLAP_SECONDS = 86_400;

/** Who may come in. */
export function KeysPage() {
  const before = useSignal<number | undefined>(undefined);
  const issued = useSignal<IssuedKey | undefined>(undefined);
  const from = before.value === undefined ? '' : `&before=${before.value}`;
  const keys = usePolled<List<Key>>(`keys?page_size=50${from}`, 10_000);
  const onIssued = (key: unknown) => {
    issued.value = key as IssuedKey;
    keys.refresh();
  };
  return (
    <>
      <PageHeading title="Keys">
        <NewKey onIssued={onIssued} />
      </PageHeading>
      {issued.value !== undefined && <Issued issued={issued.value} />}
      <Failure error={keys.error} />
      {keys.data !== undefined && <Keys keys={keys.data.items} onIssued={onIssued} onRevoked={keys.refresh} />}
      <CursorPager before={before} next={keys.data?.next} />
    </>
  );
}

function NewKey({ onIssued }: { readonly onIssued: (key: unknown) => void }) {
  return (
    <ActionDialog
      name="Make a key"
      confirm="Make it"
      scope={SCOPE}
      path="keys"
      bodyOf={(valueOf) => {
        const customer = valueOf('customer').trim();
        return {
          name: valueOf('name'),
          role: valueOf('role'),
          ...(customer === '' ? {} : { customer_ref: customer }),
        };
      }}
      onDone={onIssued}
    >
      <label>
        <span>Name, for whoever reads this list</span>
        <input name="name" required maxLength={100} />
      </label>
      <label>
        <span>Role</span>
        <select name="role">
          {ROLES.map((role) => (
            <option key={role}>{role}</option>
          ))}
        </select>
      </label>
      <label>
        <span>Customer, if the key is one: it has only what is its own</span>
        <input name="customer" maxLength={128} autocomplete="off" />
      </label>
      <p>Its token is shown once. A key with scopes of its own, or one that expires: npm run keys -- --help.</p>
    </ActionDialog>
  );
}

function Issued({ issued: { id, name, token } }: { readonly issued: IssuedKey }) {
  return (
    <p class="notice" role="status">
      The token of key {id} (<bdi>{name}</bdi>). It is shown this once; whoever has it may use it:
      <code class="command">{token}</code>
    </p>
  );
}

interface KeysProps {
  readonly keys: readonly Key[];
  readonly onIssued: (key: unknown) => void;
  readonly onRevoked: () => void;
}

function Keys({ keys, onIssued, onRevoked }: KeysProps) {
  return (
    <Table
      caption="Keys"
      columns={['Key', 'Name', 'May', 'State', 'Last used', 'Made', 'Change']}
      empty="There are no keys: nobody who is asked for one can come in"
      rows={keys.map((key) => [
        key.id,
        <bdi>{key.name}</bdi>,
        <May item={key} />,
        <State item={key} />,
        key.last_used_at === null ? 'never' : moment(key.last_used_at),
        `${moment(key.created_at)}${key.created_by === null ? '' : ` by ${key.created_by}`}`,
        key.revoked_at === null ? (
          <span class="page-actions">
            <Roll item={key} onIssued={onIssued} />
            <Revoke item={key} onRevoked={onRevoked} />
          </span>
        ) : (
          NONE
        ),
      ])}
    />
  );
}

function May({ item: { role, scopes, customer_ref: customer } }: { readonly item: Key }) {
  return (
    <bdi>
      {role ?? scopes.join(', ')}
      {customer !== null && `, as the customer ${customer}`}
    </bdi>
  );
}

function State({ item: { revoked_at: revoked, expires_at: expires } }: { readonly item: Key }) {
  if (revoked !== null) return <Badge tone="bad">revoked</Badge>;
  if (expires === null) return <Badge tone="good">good</Badge>;
  const isOver = Date.parse(expires) <= now();
  return (
    <>
      <Badge tone={isOver ? 'bad' : 'good'}>{isOver ? 'expired' : 'good'}</Badge> until {moment(expires)}
    </>
  );
}

function Roll({ item: { id, name }, onIssued }: { readonly item: Key; readonly onIssued: (key: unknown) => void }) {
  return (
    <ActionDialog
      name="Roll"
      label={`Roll key ${id}`}
      confirm="Give it another secret"
      scope={SCOPE}
      path={`keys/${id}/roll`}
      bodyOf={() => ({ overlap_seconds: OVERLAP_SECONDS })}
      onDone={onIssued}
    >
      <p>
        Key {id} (<bdi>{name}</bdi>) gets another secret. The one that it has stays good for a day.
      </p>
    </ActionDialog>
  );
}

function Revoke({ item: { id, name }, onRevoked }: { readonly item: Key; readonly onRevoked: () => void }) {
  return (
    <ActionDialog
      name="Revoke"
      label={`Revoke key ${id}`}
      confirm="Revoke it"
      tone="danger"
      scope={SCOPE}
      method="DELETE"
      path={`keys/${id}`}
      bodyOf={() => ({})}
      onDone={onRevoked}
    >
      <p>
        Within two seconds nobody comes in with key {id} (<bdi>{name}</bdi>) any more. This cannot be taken back.
      </p>
    </ActionDialog>
  );
}
