import {
  INVALID_SPAN_CONTEXT,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
} from '@opentelemetry/api';
import { textOf } from '../runtime/error-text.js';
import { currentContext, withRequest } from '../runtime/request-context.js';
import { VERSION } from '../kernel/version.js';

// Without the SDK (tracing-sdk.ts) the API makes spans that record nothing.
const tracer = trace.getTracer('order-system', VERSION);
/** W3C Trace Context: what a later version adds comes behind a further hyphen. */
const TRACEPARENT = /^(?:(?=00-.{52}$)|(?!00|ff))[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(?:-.*)?$/;

export interface SpanOptions {
  readonly kind?: SpanKind;
  /** Unless given, the span of the current context. */
  readonly parent?: SpanContext | undefined;
  /** Work that this span belongs to without being a part of it: a batch is linked to its requests, a job to the request that caused it. */
  readonly links?: readonly SpanContext[];
  readonly attributes?: Readonly<Record<string, string | number>>;
}

/** Records nothing. */
const NO_SPAN = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
/** Share of the traces that begin here which are recorded, 0 to 1. */
let ratioOfRoots = 0;

/** Has a share of the traces that begin in this process recorded, from here on. */
export function sampleRoots(ratio: number): void {
  ratioOfRoots = ratio;
}

/**
 * Whether a span is to be recorded: with its parent, with what it is linked to, or as the beginning of a trace, by chance. Decided before anything is made of
 * it: at 1 % the other 99 cost nothing.
 */
export function isToBeRecorded(parent: SpanContext | undefined, links: readonly SpanContext[] = []): boolean {
  return (parent === undefined ? Math.random() < ratioOfRoots : isSampled(parent)) || links.some(isSampled);
}

/** Only for what {@link isToBeRecorded}. */
export function startSpan(name: string, { kind, parent, links = [], attributes }: SpanOptions): Span {
  const options = {
    kind: kind ?? SpanKind.INTERNAL,
    links: links.map((context) => ({ context })),
    ...(attributes === undefined ? {} : { attributes: { ...attributes } }),
  };
  return tracer.startSpan(
    name,
    options,
    parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent),
  );
}

/** Runs `work` in a span, which is the parent of the spans that `work` starts, and names it in the lines that `work` logs. */
export function inSpan<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T> {
  const { parent = currentContext().trace } = options;
  if (!isToBeRecorded(parent, options.links)) return work(NO_SPAN);
  return within(startSpan(name, { ...options, parent }), work);
}

async function within<T>(span: Span, work: (span: Span) => Promise<T>): Promise<T> {
  try {
    return await withRequest({ ...currentContext(), trace: span.spanContext() }, () => work(span));
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR, message: textOf(error) });
    throw error;
  } finally {
    span.end();
  }
}

/** The span that a `traceparent` names (https://www.w3.org/TR/trace-context/); `undefined` for any other text. */
export function parseTraceparent(text: unknown): SpanContext | undefined {
  const [, traceId, spanId, flags] = typeof text === 'string' ? (TRACEPARENT.exec(text) ?? []) : [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  const parsed = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true };
  return trace.isSpanContextValid(parsed) ? parsed : undefined;
}

/** The span of the current context as other processes are told of it; only a sampled one, for nothing is known of any other. */
export function currentTraceparent(): string | undefined {
  const current = currentContext().trace;
  if (current === undefined || !isSampled(current)) return undefined;
  return `00-${current.traceId}-${current.spanId}-01`;
}

function isSampled({ traceFlags }: SpanContext): boolean {
  return (traceFlags & TraceFlags.SAMPLED) !== 0;
}
