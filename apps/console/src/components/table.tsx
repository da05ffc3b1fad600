import type { ComponentChildren } from 'preact';

interface TableProps {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly ComponentChildren[])[];
  /** What stands there without rows. */
  readonly empty?: string;
  /** Columns of numbers, from 0. */
  readonly numbers?: readonly number[];
}

/** A table that scrolls by itself where it is wider than the page, by the keyboard as well. */
export function Table({ caption, columns, rows, empty = 'Nothing yet', numbers = [] }: TableProps) {
  if (rows.length === 0) return <p class="empty">{empty}</p>;
  const classOf = (column: number) => (numbers.includes(column) ? 'number' : undefined);
  return (
    // It takes the focus, so that the keyboard can scroll it.
    <div class="table" role="region" aria-label={caption} tabIndex={0}>
      <table>
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((name, column) => (
              <th scope="col" class={classOf(column)} key={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((cells, row) => (
            <tr key={row}>
              {cells.map((cell, column) => (
                <td class={classOf(column)} key={columns[column]}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
