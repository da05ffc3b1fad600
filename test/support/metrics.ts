import { eventually } from './eventually.js';
import type { RoleProcess } from './role-process.js';

/** The value of each series, by its name with its labels as Prometheus prints them. */
export type Series = ReadonlyMap<string, number>;

/** What a process tells Prometheus. */
export async function scrape(url: string): Promise<Series> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const end = line.lastIndexOf(' ');
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
}

/** Where a process that was started with a `METRICS_PORT` serves them. */
export async function metricsUrlOf(role: RoleProcess): Promise<string> {
  let url: string | undefined;
  await eventually(() => {
    url = /"url":"(http[^"]+)","message":"The metrics are served"/.exec(role.log())?.[1];
    if (url === undefined) throw new Error(`It serves no metrics: ${role.log()}`);
  }, 60_000);
  return url ?? '';
}
