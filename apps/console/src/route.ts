import { signal } from '@preact/signals';

/** A place in the console: the path and the filters in the fragment of the address. */
export interface Route {
  /** `orders`, `7` of `#/orders/7?…`. */
  readonly parts: readonly string[];
  readonly filters: URLSearchParams;
}

export const route = signal(read());

addEventListener('hashchange', () => {
  route.value = read();
});

/** The address of a place; filters that are empty are left out. */
export function hrefOf(path: string, filters: Readonly<Record<string, string | number | undefined>> = {}): string {
  const set = Object.entries(filters).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)]],
  );
  return set.length === 0 ? `#${path}` : `#${path}?${new URLSearchParams(set).toString()}`;
}

/** Goes to a place. Filters that change while somebody types leave no trail in the history. */
export function go(href: string, { replaces = false } = {}): void {
  if (!replaces) {
    location.hash = href;
    return;
  }
  history.replaceState(null, '', href);
  route.value = read();
}

function read(): Route {
  const [path = '', query = ''] = location.hash.replace(/^#/, '').split('?', 2);
  return { parts: path.split('/').filter((part) => part !== ''), filters: new URLSearchParams(query) };
}
