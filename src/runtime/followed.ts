/** Something that a client follows live, e.g. the events of an order. */
export interface Followed<T> {
  /** What is new since the last batch; an empty batch says that nothing is. It ends with `stopping` when the process stops. */
  readonly batches: AsyncIterable<readonly T[] | 'stopping'>;
  /** Call this when the client has gone, once or more often. */
  readonly close: () => void;
  /** Calls back when the process stops; at once when it does already. */
  readonly onStopping: (callback: () => void) => void;
}
