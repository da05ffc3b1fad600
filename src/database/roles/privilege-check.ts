import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Log } from '../../runtime/log.js';
import { DataSource } from 'typeorm';
import { readPrepared } from '../prepared-statement.js';

const MIGHTY = `
  SELECT current_user AS role FROM pg_class
  WHERE oid = to_regclass('public.stock_movements') AND pg_has_role(relowner, 'USAGE')`;

/** Warns when the role of this process owns the ledger, or is a superuser: it could switch off the triggers that keep what was written. */
@Injectable()
export class PrivilegeCheck implements OnApplicationBootstrap {
  private readonly logger = new Log(PrivilegeCheck.name);

  constructor(private readonly dataSource: DataSource) {}

  async onApplicationBootstrap(): Promise<void> {
    // Whether PostgreSQL can be reached is told by others.
    const roles = await readPrepared<{ role: string }>(this.dataSource, { text: MIGHTY }).catch(() => []);
    for (const { role } of roles) {
      this.logger.warn(
        `The role ${role} owns the tables, or is a superuser: whoever gets its password can rewrite the ledger. ` +
          'npm run database:roles makes roles that may do less (docs/operations.md)',
      );
    }
  }
}
