import { Injectable } from '@nestjs/common';
import type pg from 'pg';
import { Config } from '../config/config.js';
import { correctLedger, lockStock } from '../stock/stock-ledger.js';
import type { StockMovement } from '../stock/movements/stock-movement.js';
import { connectForAudit } from './audit-connection.js';
import { WRONG_LEDGERS, type WrongLedger } from './audit-statement.js';

/** Sets ledgers right that somebody has got round: each gets a correction, from which on it tells the stock. No stock changes. */
@Injectable()
export class LedgerRepairService {
  constructor(private readonly config: Config) {}

  /** The products whose ledgers are wrong, by id. It blocks nobody. */
  async find(): Promise<WrongLedger[]> {
    return this.connected(async (client) => (await client.query<WrongLedger>(WRONG_LEDGERS, [1, 0])).rows);
  }

  /**
   * Writes a correction for each of the products, and returns them. The row of a product is locked while its movements are added up, so
   * that its sales wait as long, and no other ones.
   */
  async repair(productIds: readonly number[], reason: string): Promise<StockMovement[]> {
    return this.connected(async (client) => {
      const corrections: StockMovement[] = [];
      for (const productId of productIds) {
        await client.query('BEGIN');
        await client.query(lockStock(productId));
        const { rows } = await client.query<StockMovement>(correctLedger(productId, reason));
        await client.query('COMMIT');
        corrections.push(...rows);
      }
      return corrections;
    });
  }

  private async connected<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = await connectForAudit(this.config.database.ownerUrl);
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }
}
