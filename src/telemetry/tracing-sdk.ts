import { diag, DiagLogLevel, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOnSampler, BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Tracing } from '../config/tracing.js';
import { VERSION } from '../kernel/version.js';
import { withDeadline } from '../runtime/deadline.js';
import { Log } from '../runtime/log.js';
import { sampleRoots } from './tracing.js';

/** A collector that is away must not hold up the stop of a process. */
const FLUSH_MS = 1_000;
const EXPORT_TIMEOUT_MS = 5_000;
/** The exporter reports each failed export. */
const REPORT_INTERVAL_MS = 60_000;

/**
 * Sends spans to the collector that `OTEL_EXPORTER_OTLP_ENDPOINT` names. A collector that is away costs spans, and nothing else. Gives the function
 * that sends what is left, for the end of the process.
 */
export function startTracing({ serviceName, ratio }: Tracing, role: string): () => Promise<void> {
  reportFailures();
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': serviceName ?? `order-system-${role}`,
      'service.namespace': 'order-system',
      'service.version': VERSION,
      'service.instance.id': String(process.pid),
    }),
    // What is not to be recorded is never made a span of.
    sampler: new AlwaysOnSampler(),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter(),
        exportTimeoutMillis: EXPORT_TIMEOUT_MS,
      }),
    ],
  });
  trace.setGlobalTracerProvider(provider);
  sampleRoots(ratio);
  return async () => withDeadline(provider.shutdown(), FLUSH_MS).catch(() => undefined);
}

function reportFailures(): void {
  const log = new Log('Tracing');
  let reportedAt = -Infinity;
  const report = (message: string) => {
    if (performance.now() - reportedAt < REPORT_INTERVAL_MS) return;
    reportedAt = performance.now();
    log.warn('Spans cannot be sent to OTEL_EXPORTER_OTLP_ENDPOINT', { error: message });
  };
  const ignore = () => undefined;
  diag.setLogger({ error: report, warn: report, info: ignore, debug: ignore, verbose: ignore }, DiagLogLevel.WARN);
}
