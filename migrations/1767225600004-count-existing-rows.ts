import type { MigrationInterface, QueryRunner } from 'typeorm';

/** One statement and so one moment: what has been counted by then is taken off, and nobody has to wait. */
export class CountExistingRows1767225600004 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      INSERT INTO row_count_changes (list, block, change)
      SELECT list, block, sum(change) FROM (
        SELECT 'products' AS list, id >> 10 AS block, count(*) AS change FROM products
        WHERE deleted_at IS NULL GROUP BY 2
        UNION ALL SELECT 'orders:' || status, id >> 10, count(*) FROM orders GROUP BY 1, 2
        UNION ALL SELECT list, block, -change FROM row_count_changes
        UNION ALL SELECT list, block, -rows FROM row_counts WHERE level = 0
      ) AS difference
      GROUP BY list, block HAVING sum(change) <> 0
    `);
  }

  async down(): Promise<void> {
    // The counts go with their tables.
  }
}
