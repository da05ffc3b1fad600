import type { EnvironmentReader } from './environment-reader.js';

/** Where spans are sent; the exporter reads the further variables of OpenTelemetry (`OTEL_EXPORTER_OTLP_HEADERS` and so on) by itself. */
export interface Tracing {
  readonly endpoint: string;
  readonly serviceName: string | undefined;
  /** Share of the requests that are traced, 0 to 1, when the client has not decided. */
  readonly ratio: number;
}

/** `OTEL_EXPORTER_OTLP_ENDPOINT` and `OTEL_TRACES_SAMPLER_ARG`; `undefined` when nothing is traced. */
export function readTracing(reader: EnvironmentReader): Tracing | undefined {
  const endpoint = reader.optionalUrl('OTEL_EXPORTER_OTLP_ENDPOINT', ['http:', 'https:']);
  const text = reader.optional('OTEL_TRACES_SAMPLER_ARG') ?? '1';
  const ratio = Number(text);
  if (!(ratio >= 0 && ratio <= 1)) {
    reader.problems.push(`OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1, not "${text}"`);
  }
  return endpoint === undefined ? undefined : { endpoint, serviceName: reader.optional('OTEL_SERVICE_NAME'), ratio };
}
