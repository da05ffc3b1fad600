import { Injectable } from '@nestjs/common';
import { gauge } from '../telemetry/metrics.js';
import { ObservedGauges } from '../telemetry/observed-gauges.js';
import { AuditService } from './audit.service.js';

const findings = gauge({
  name: 'audit_findings',
  unit: 'findings',
  help: 'What the last audit has found wrong: 0 when all agreed, and no value before the first audit.',
});

const lastSuccess = gauge({
  name: 'audit_last_success_timestamp_seconds',
  unit: 'seconds since 1970',
  help: 'When the last audit was made to its end, whatever it has found; no value before the first one.',
});

/** Tells of the last audit. */
@Injectable()
export class AuditMetrics extends ObservedGauges {
  protected readonly gauges = [findings, lastSuccess];

  constructor(private readonly audits: AuditService) {
    super();
  }

  protected async read(): Promise<void> {
    const last = await this.audits.last();
    if (last === undefined) throw new Error('There was no audit yet');
    findings.set(last.findings.reduce((sum, { count }) => sum + count, 0));
    lastSuccess.set(last.finishedAt.getTime() / 1_000);
  }
}
