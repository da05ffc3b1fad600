import { type Attributes, type Context, diag, DiagLogLevel, type Link, type SpanKind, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  type SamplingResult,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Tracing } from '../config/tracing.js';
import { VERSION } from '../kernel/version.js';
import { withDeadline } from '../runtime/deadline.js';
import { Log } from '../runtime/log.js';
import { isSampled } from './tracing.js';

/** A collector that is away must not hold up the stop of a process. */
const FLUSH_MS = 1_000;
const EXPORT_TIMEOUT_MS = 5_000;
/** The exporter reports each failed export. */
const REPORT_INTERVAL_MS = 60_000;

/** Samples what is linked to a sampled span, so that a traced request has the batch and the job that belong to it. */
class LinkedSampler implements Sampler {
  private readonly other: Sampler;

  constructor(ratio: number) {
    this.other = new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) });
  }

  // eslint-disable-next-line no-restricted-syntax -- the SDK calls it
  shouldSample(
    context: Context,
    traceId: string,
    name: string,
    kind: SpanKind,
    attributes: Attributes,
    links: Link[],
  ): SamplingResult {
    if (links.some((link) => isSampled(link.context))) return { decision: SamplingDecision.RECORD_AND_SAMPLED };
    return this.other.shouldSample(context, traceId, name, kind, attributes, links);
  }

  toString(): string {
    return `LinkedSampler{${this.other.toString()}}`;
  }
}

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
    sampler: new LinkedSampler(ratio),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter(),
        exportTimeoutMillis: EXPORT_TIMEOUT_MS,
      }),
    ],
  });
  trace.setGlobalTracerProvider(provider);
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
