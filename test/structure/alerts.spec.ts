import 'reflect-metadata';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { allMetrics, declareProcessMetrics, registry } from '../../src/telemetry/metrics.js';
import '../../src/roles/api/create-api.js';
import '../../src/roles/metrics.js';
import '../../src/roles/worker/create-worker.js';
import { createTemporaryFolder } from '../../tools/temporary-folder.ts';
import { alertTable, signOf } from '../simulator/alerts.ts';
import { FAULT_NAMES } from '../simulator/faults.ts';
import { Recording } from '../simulator/recording.ts';
import { eventually } from '../support/eventually.js';
import { canInstall, findProgram, installFromDebian } from '../../tools/programs.ts';

const execute = promisify(execFile);
const ROOT = new URL('../../', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, ROOT), 'utf8');

/** What Prometheus itself adds. */
const OF_PROMETHEUS = ['up', 'ALERTS'];
/** Words of its language, and names of labels. */
const WORDS = new Set(
  'absent by on ignoring and or unless sum max min count rate increase changes topk histogram_quantile vector time le window job outcome state queue status role instance version code offset max_over_time'
    .split(' ')
    .concat([
      'alertname',
      'alertstate',
      '__rate_interval',
      'http_route',
      'http_response_status_code',
      'http_request_method',
    ])
    .concat(['db_client_connection_pool_name']),
);

/** The names of metrics in an expression: words outside of quotation marks. */
function namesIn(expression: string): string[] {
  const words = expression.replace(/"[^"]*"/g, '').match(/[a-zA-Z_][\w:]*/g) ?? [];
  return words.filter((word) => !WORDS.has(word) && !/^\d|^[smhd]$/.test(word));
}

describe('the alerts and the dashboard', () => {
  let known: Set<string>;

  beforeAll(() => {
    declareProcessMetrics();
    const declared = allMetrics().flatMap(({ name, kind }) =>
      kind === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name],
    );
    const ofProcess = registry.getMetricsAsArray().map(({ name }) => name);
    known = new Set([...declared, ...ofProcess, ...OF_PROMETHEUS]);
  });

  it('ask for metrics that there are', () => {
    const rules = read('deploy/prometheus/rules.yml');
    const recorded = [...rules.matchAll(/record: (\S+)/g)].map(([, name = '']) => name);
    const ofRules = [...rules.matchAll(/^ +expr: (?:\|\n((?: {10}.*\n)+)|(.*)$)/gm)].map(
      ([, block, line]) => block ?? line ?? '',
    );
    const dashboard = JSON.parse(read('deploy/grafana/dashboards/order-system.json')) as {
      panels: { targets: { expr: string }[] }[];
      annotations: { list: { expr: string }[] };
    };
    const ofMarks = dashboard.annotations.list.map(({ expr }) => expr);
    for (const mark of ofMarks) expect(read('deploy/prometheus/rules.test.yml')).toContain(mark);
    const ofPanels = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    const ofDocuments = [...read('docs/operations.md').matchAll(/^\| .*\?\s*\| (`.*`)/gm)].map(([, cell = '']) =>
      cell.replaceAll('`', ' '),
    );
    expect([ofRules.length > 20, ofPanels.length > 15]).toEqual([true, true]);
    const names = new Set(
      [...ofRules, ...ofPanels, ...ofMarks, ...ofDocuments.map((cell) => cell.replace(/[^\x20-\x7e]/g, ''))].flatMap(
        namesIn,
      ),
    );
    const unknown = [...names].filter((name) => !known.has(name) && !recorded.includes(name));
    const words = new Set(['for', 'those', 'who', 'came', 'too', 'late', 'above', 'a', 'day', 'half']);
    expect(unknown.filter((name) => !words.has(name))).toEqual([]);
  });

  it('say how urgent they are, what is the matter and what to do', () => {
    const alerts = read('deploy/prometheus/rules.yml')
      .split(/^ {6}- alert: /m)
      .slice(1);
    expect(alerts.length).toBeGreaterThan(15);
    for (const alert of alerts) {
      expect(alert).toMatch(/labels: \{ severity: (page|ticket) \}/);
      expect(alert).toMatch(/summary: .{10}/);
      expect(alert).toMatch(/description: .{10}/);
    }
  });

  it('have a table that names for each fault of the simulator what shows it, and what it may raise', () => {
    const rules = read('deploy/prometheus/rules.yml');
    expect(FAULT_NAMES.length).toBeGreaterThan(15);
    for (const fault of FAULT_NAMES) {
      const { metric, alerts } = signOf(fault);
      expect([fault, known.has(metric) || known.has(`${metric}_count`)]).toEqual([fault, true]);
      for (const alert of alerts) expect(rules).toContain(`- alert: ${alert}\n`);
    }
    expect(read('docs/operations.md').replace(/ +/g, ' ').replace(/-+/g, '-')).toContain(
      alertTable().replace(/ +/g, ' ').replace(/-+/g, '-'),
    );
  });

  const promtool = findProgram('promtool') ?? (canInstall() ? '' : undefined);
  // Debian has it in the package prometheus, which only root can install.
  (promtool === undefined ? it.skip : it)(
    'are judged by promtool: a quiet day raises nothing, and each trouble its alert',
    async () => {
      const program = promtool || (await installFromDebian('prometheus', 'promtool')) || 'promtool';
      const cwd = new URL('deploy/prometheus/', ROOT);
      expect((await execute(program, ['check', 'rules', 'rules.yml'], { cwd })).stdout).toContain('SUCCESS');
      await execute(program, ['check', 'config', '--syntax-only', 'prometheus.yml'], { cwd });
      expect((await execute(program, ['test', 'rules', 'rules.test.yml'], { cwd })).stdout).toContain('SUCCESS');
    },
    180_000,
  );

  (promtool === undefined ? it.skip : it)(
    'that fire outside of the table of a fault are found in what a run has recorded',
    async () => {
      if (promtool === '') await installFromDebian('prometheus', 'promtool');
      const server = createServer((_request, response) => response.end('dead_letters 2\nworkers_alive 1\n'));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      const directory = await createTemporaryFolder('recording');
      const recording = new Recording({ 'api-1': `http://127.0.0.1:${port}/metrics` });
      recording.start();
      await eventually(async () => {
        expect(await recording.unexpectedAlerts(new Set(), directory)).toEqual(['DeadLetters']);
      }, 30_000);
      expect(await recording.unexpectedAlerts(new Set(['DeadLetters']), directory)).toEqual([]);
      expect([recording.has('dead_letters'), recording.has('jobs')]).toEqual([true, false]);
      recording.stop();
      server.close();
      await rm(directory, { recursive: true });
    },
    180_000,
  );
});
