/** Somebody who is told live of something, e.g. of the events of an order. */
export interface FollowingClient<T> {
  /** Takes what is new, or nothing as a heartbeat. Is false when there is no room for more until {@link Followed.resume} is called. */
  readonly send: (news: readonly T[]) => boolean;
  /** Nothing comes any more: all has been told, or the process stops. */
  readonly end: (why: 'over' | 'stopping') => void;
}

/** Something that a client follows live. */
export interface Followed<T> {
  /** Tells the client what there is, and from then on what is new. */
  readonly begin: (client: FollowingClient<T>) => void;
  /** Call this when the client has room again. */
  readonly resume: () => void;
  /** Call this when the client has gone, once or more often. */
  readonly close: () => void;
}
