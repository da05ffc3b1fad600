/** `npm run metrics`: every metric of the processes, with its unit, its labels, its meaning, and how many series one process makes of it. */
import type * as Metrics from '../src/telemetry/metrics.ts';

/** Of the build: not known to the compiler. What declares metrics is loaded by the roots of the roles. */
const OF_BUILD: readonly string[] = ['api/create-api', 'worker/create-worker', 'metrics'].map(
  (name) => `../dist/src/roles/${name}.js`,
);
const METRICS: string = '../dist/src/telemetry/metrics.js';

await import('reflect-metadata');
for (const file of OF_BUILD) await import(file);
const { allMetrics } = (await import(METRICS)) as typeof Metrics;

for (const { name, kind, unit, help, labels, series } of allMetrics()) {
  console.log(`${name}  (${kind}, ${unit}; ${series} series at most)`);
  console.log(`  ${help}`);
  for (const [label, values] of Object.entries(labels)) console.log(`  ${label}: ${values.join(', ')}`);
  console.log('');
}
console.log('Beside them what every process of Node.js tells: process_* and nodejs_*, some 60 series.');
