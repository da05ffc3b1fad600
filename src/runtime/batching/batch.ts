/** Items that are being served together. */
export interface Batch<Item> {
  /** How long the item that came first has waited. */
  readonly waitedMs: number;
  /** All items of the batch so far: in the order of their turns, and those who came late after the others. */
  readonly items: () => readonly Item[];
  /** Adds waiting items whose keys all belong to this batch, as far as the batch may hold them, and returns them. */
  readonly takeLate: () => readonly Item[];
  /** Releases the keys, so that the next batch may start. `takeLate` adds nothing with keys after that. */
  readonly freeKeys: () => void;
}
