import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from '../../tools/programs.ts';

const execute = promisify(execFile);
const RULES = path.resolve(import.meta.dirname, '../../deploy/prometheus/rules.yml');
const INTERVAL_MS = 1_000;
const TIMEOUT_MS = 900;
/** How often the alerts are looked at in what was recorded, in intervals. */
const JUDGED_EVERY = 5;
const MAX_OUTPUT = 2 ** 26;

/** Records the metrics of all processes as Prometheus would, so that promtool can judge by them which alerts fire. */
export class Recording {
  private readonly rules = readFileSync(RULES, 'utf8');
  private readonly series = new Map<string, (string | undefined)[]>();
  private length = 0;
  private timer: NodeJS.Timeout | undefined;
  /** By the name of their process. */
  private readonly targets: Readonly<Record<string, string>>;

  /** Also kept where no rule asks for them. */
  private readonly metrics: ReadonlySet<string>;

  constructor(targets: Readonly<Record<string, string>>, metrics: readonly string[] = []) {
    this.targets = targets;
    this.metrics = new Set(metrics);
  }

  start(): void {
    this.timer = setInterval(() => void this.scrape(), INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Whether any series of a metric was recorded. */
  has(metric: string): boolean {
    return [...this.series.keys()].some((key) => key.startsWith(metric));
  }

  /**
   * The alerts that fire at any time of what was recorded, other than the `allowed` ones; `undefined` where there is no promtool (Debian has it in
   * the package prometheus).
   */
  async unexpectedAlerts(allowed: ReadonlySet<string>, directory: string): Promise<string[] | undefined> {
    const promtool = findProgram('promtool');
    if (promtool === undefined) return undefined;
    const alerts = [...this.rules.matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name);
    const times = Array.from(
      { length: Math.floor(this.length / JUDGED_EVERY) },
      (_each, index) => (index + 1) * JUDGED_EVERY,
    );
    const judged = alerts
      .filter((alert) => !allowed.has(alert))
      .flatMap((alertname) => times.map((at) => ({ eval_time: `${at}s`, alertname, exp_alerts: [] })));
    const input = [...this.series].map(([series, values]) => ({
      series,
      values: Array.from({ length: this.length }, (_each, index) => values[index] ?? '_').join(' '),
    }));
    const file = path.join(directory, 'recorded.test.yml');
    // JSON is YAML.
    const test = { interval: '1s', input_series: input, alert_rule_test: judged };
    await writeFile(file, JSON.stringify({ rule_files: [RULES], evaluation_interval: '1s', tests: [test] }));
    const said = await execute(promtool, ['test', 'rules', file], { maxBuffer: MAX_OUTPUT }).catch((error: unknown) => {
      if (typeof error !== 'object' || error === null || !('stdout' in error && 'stderr' in error)) throw error;
      return { stdout: String(error.stdout), stderr: String(error.stderr) };
    });
    const text = `${said.stdout}${said.stderr}`;
    const fired = [...text.matchAll(/alertname: (\w+)/g)].map(([, name = '']) => name);
    if (fired.length === 0 && !text.includes('SUCCESS')) throw new Error(`promtool failed: ${text}`);
    return [...new Set(fired)];
  }

  private async scrape(): Promise<void> {
    const at = this.length++;
    await Promise.all(
      Object.entries(this.targets).map(async ([instance, url]) => {
        const text = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) }).then(
          (response) => response.text(),
          () => undefined,
        );
        this.note(`up{instance="${instance}",job="order-system"}`, at, text === undefined ? '0' : '1');
        for (const line of text?.split('\n') ?? []) this.noteLine(line, { instance, at });
      }),
    );
  }

  private noteLine(line: string, { instance, at }: { instance: string; at: number }): void {
    const [, name = '', labels = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    const metric = name.replace(/_(bucket|count|sum)$/, '');
    if (name === '' || !(this.rules.includes(metric) || this.metrics.has(metric))) return;
    const all = [...(labels === '' ? [] : [labels]), `instance="${instance}"`, 'job="order-system"'].join(',');
    this.note(`${name}{${all}}`, at, value);
  }

  private note(key: string, at: number, value: string): void {
    const values = this.series.get(key) ?? [];
    values[at] = value;
    this.series.set(key, values);
  }
}
