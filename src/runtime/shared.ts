/** Work that whoever asks for it while it is under way shares: many who ask at once cost as much as one. */
export function shared<T>(work: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | undefined;
  return async () => {
    underWay ??= work().finally(() => (underWay = undefined));
    return underWay;
  };
}
