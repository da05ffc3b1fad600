import { useEffect, useState } from 'preact/hooks';
import { type ApiError, get } from './api';

/** What was asked for, as it was last answered. */
export interface Polled<T> {
  /** Of the last answer that was one; none before the first. */
  readonly data: T | undefined;
  /** Why the last question was not answered. */
  readonly error: ApiError | undefined;
  /** Asks now. */
  readonly refresh: () => void;
}

interface State<T> {
  readonly path: string;
  readonly data?: T;
  readonly error?: ApiError;
}

/**
 * Asks the API again and again, and nothing while the tab is hidden. After a failure the last answer stays.
 *
 * @param path below the base path; `undefined` asks nothing.
 */
export function usePolled<T>(path: string | undefined, everyMs: number): Polled<T> {
  const [state, setState] = useState<State<T>>({ path: '' });
  const [asked, setAsked] = useState(0);

  useEffect(() => {
    if (path === undefined) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    const ask = async () => {
      clearTimeout(timer);
      if (document.hidden) return;
      try {
        const data = await get<T>(path);
        if (!isOver) setState({ path, data });
      } catch (error) {
        if (!isOver) setState((last) => ({ ...(last.path === path ? last : {}), path, error: error as ApiError }));
      }
      if (!isOver) timer = setTimeout(() => void ask(), everyMs);
    };
    const onVisible = () => {
      if (document.hidden) clearTimeout(timer);
      else void ask();
    };
    document.addEventListener('visibilitychange', onVisible);
    void ask();
    return () => {
      isOver = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisible);
    };
  }, [path, everyMs, asked]);

  const isOfPath = state.path === path;
  return {
    data: isOfPath ? state.data : undefined,
    error: isOfPath ? state.error : undefined,
    refresh: () => setAsked((count) => count + 1),
  };
}
