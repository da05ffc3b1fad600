import { getDataSourceToken } from '@nestjs/typeorm';
import type { QueryConfig } from 'pg';
import type { DataSource } from 'typeorm';
import type { Api } from './api.js';

/** How a statement read a table, and how many rows it looked at for that. */
export interface Scan {
  readonly statement: string;
  /** As `EXPLAIN` calls it: `Index Scan`, `Bitmap Heap Scan`, `Seq Scan`. */
  readonly node: string;
  readonly rows: number;
}

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  Plans?: PlanNode[];
}

/** How the statements that the API sends for a request read products and orders: each is run again on its connections to see. */
export async function scansOf(api: Api, request: () => Promise<unknown>): Promise<Scan[]> {
  const dataSource = api.app.get<DataSource>(getDataSourceToken());
  const scans: Scan[] = [];
  for (const { text, values } of await captured(dataSource, request)) {
    const [row] = await dataSource.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }[]>(
      `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`,
      values,
    );
    for (const node of nodesOf(row?.['QUERY PLAN'][0].Plan)) {
      if (!/^(products|orders|order_items)$/.test(node['Relation Name'] ?? '')) continue;
      const removed = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0);
      scans.push({
        statement: text,
        node: node['Node Type'],
        rows: (node['Actual Rows'] + removed) * node['Actual Loops'],
      });
    }
  }
  return scans;
}

function nodesOf(plan: PlanNode | undefined): PlanNode[] {
  return plan === undefined ? [] : [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
}

/** The statements that only read, of those that are sent for a request. */
async function captured(
  dataSource: DataSource,
  request: () => Promise<unknown>,
): Promise<{ text: string; values: unknown[] }[]> {
  const runner = dataSource.createQueryRunner();
  const { prototype } = ((await runner.connect()) as object).constructor as { prototype: { query: unknown } };
  await runner.release();
  const query = prototype.query as (...values: unknown[]) => unknown;
  const statements: { text: string; values: unknown[] }[] = [];
  prototype.query = function (this: unknown, ...values: unknown[]) {
    const [config, parameters] = values as [string | QueryConfig, unknown[] | undefined];
    if (typeof config === 'string') statements.push({ text: config, values: parameters ?? [] });
    else statements.push({ text: config.text, values: (config.values as unknown[] | undefined) ?? [] });
    return query.apply(this, values);
  };
  try {
    await request();
  } finally {
    prototype.query = query;
  }
  return statements.filter(({ text }) => /^\s*(SELECT|WITH)/.test(text) && !/\b(INSERT|UPDATE|DELETE)\b/.test(text));
}
