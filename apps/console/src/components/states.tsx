import type { ComponentChildren } from 'preact';
import type { ApiError } from '../api';
import type { OrderStatus } from '../types';

export type Tone = 'good' | 'bad' | 'warn' | 'busy' | 'plain';

const TONES: Record<OrderStatus, Tone> = {
  pending: 'plain',
  processing: 'busy',
  completed: 'good',
  failed: 'bad',
  cancelled: 'warn',
};

/** A word with a colour; the word alone tells it too. */
export function Badge({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

export function StatusBadge({ status }: { readonly status: OrderStatus }) {
  return <Badge tone={TONES[status]}>{status}</Badge>;
}

/** Why something could not be read or done. */
export function Failure({ error }: { readonly error: ApiError | undefined }) {
  if (error === undefined) return null;
  const { problem } = error;
  return (
    <p class="failure" role="alert">
      {error.message}
      {problem === undefined ? '' : <small> Request {problem.request_id}</small>}
    </p>
  );
}

interface HeadingProps {
  readonly title: string;
  /** 2 for a part of a page. */
  readonly level?: 1 | 2;
  readonly children?: ComponentChildren;
}

/** The title of a page or of a part of it, with what can be done there. */
export function PageHeading({ title, level = 1, children }: HeadingProps) {
  return (
    <header class="page-heading">
      {level === 1 ? <h1>{title}</h1> : <h2>{title}</h2>}
      <div class="page-actions">{children}</div>
    </header>
  );
}
