import type { Signal } from '@preact/signals';
import { count } from '../format';
import type { Page } from '../types';

interface PagerProps {
  readonly page: Page<unknown> | undefined;
  readonly hrefOfPage: (page: number) => string;
}

/** Which part of a list is shown, and the ways to the parts beside it. */
export function Pager({ page, hrefOfPage }: PagerProps) {
  if (page === undefined) return null;
  const { page: current, total_pages: pages, total } = page;
  return (
    <nav class="pager" aria-label="Pages">
      <span>
        {count(total)} in all, page {count(current)} of {count(pages)}
      </span>
      {current > 1 && (
        <a class="button" href={hrefOfPage(current - 1)} rel="prev">
          Newer
        </a>
      )}
      {current < pages && (
        <a class="button" href={hrefOfPage(current + 1)} rel="next">
          Older
        </a>
      )}
    </nav>
  );
}

interface CursorPagerProps {
  /** The id below which the list goes on; none is the newest. */
  readonly before: Signal<number | undefined>;
  readonly next: number | null | undefined;
}

/** The same of a list that is read from its end. */
export function CursorPager({ before, next }: CursorPagerProps) {
  return (
    <nav class="pager" aria-label="Pages">
      {before.value !== undefined && (
        <button type="button" onClick={() => (before.value = undefined)}>
          Newest
        </button>
      )}
      {typeof next === 'number' && (
        <button type="button" onClick={() => (before.value = next)}>
          Older
        </button>
      )}
    </nav>
  );
}
