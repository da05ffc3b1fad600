import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { DataSource } from 'typeorm';
import { knownMigrations } from '../database/known-migrations.js';
import { readPrepared } from '../database/prepared-statement.js';

interface State {
  readonly readOnly: boolean;
  /** The first migration of this build that the database does not have. */
  readonly missing: number | null;
}

const STATE = `
  SELECT current_setting('transaction_read_only') = 'on' AS "readOnly",
         (SELECT min(known) FROM unnest($1::bigint[]) AS known
          WHERE NOT EXISTS (SELECT FROM migrations WHERE timestamp = known)) AS missing`;

/** Tells whether PostgreSQL answers, takes writes and has the tables of this build. Migrations that are newer do no harm. */
@Injectable()
export class DatabaseHealthIndicator {
  private readonly migrations = knownMigrations();

  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly dataSource: DataSource,
  ) {}

  async check(timeoutMs: number): Promise<HealthIndicatorResult<'database'>> {
    return this.indicators
      .check('database')
      .attempt(() => this.requireUsable())
      .withTimeout(timeoutMs);
  }

  private async requireUsable(): Promise<void> {
    const statement = { name: 'readiness', text: STATE, values: [this.migrations] };
    const [state] = await readPrepared<State>(this.dataSource, statement);
    if (state?.readOnly !== false) throw new Error('PostgreSQL only reads: it is a standby, or set to read only');
    if (state.missing !== null) {
      throw new Error(`The migration ${state.missing} of this build is missing: run "npm run migration:run"`);
    }
  }
}
