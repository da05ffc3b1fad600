import type { ComponentChildren } from 'preact';

interface TileProps {
  readonly title: string;
  /** Now. */
  readonly value: string;
  readonly note: string;
  readonly children: ComponentChildren;
}

/** One question, its answer now, and what stands behind it. */
export function Tile({ title, value, note, children }: TileProps) {
  return (
    <article class="tile">
      <h2>{title}</h2>
      <p class="value">{value}</p>
      <p class="note">{note}</p>
      {children}
    </article>
  );
}
