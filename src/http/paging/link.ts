/** Documents the header that {@link linkToNext} makes. */
export const NEXT_PAGE = {
  Link: {
    schema: { type: 'string' as const },
    description: 'The next page, `rel="next"`, at the same cost however deep',
  },
};

/** A `Link` to the next page (RFC 8288), which is found by the last id of this one and so at the same cost however deep. */
export function linkToNext(
  path: string,
  query: { readonly page_size: number; readonly page?: number },
  next: number,
): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries<string | number | undefined>({
    ...query,
    page: query.page === undefined ? undefined : query.page + 1,
    before: next,
  })) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return `<${path}?${parameters.toString()}>; rel="next"`;
}
