import {
  Check,
  Column,
  CreateDateColumn,
  DeleteDateColumn,
  Entity,
  Index,
  PrimaryGeneratedColumn,
  UpdateDateColumn,
} from 'typeorm';
import { type Cents, centsTransformer } from '../kernel/money.js';

/** Something that is sold. A deleted one stays for the orders that hold it and is found by nothing else. */
@Entity('products')
@Check('products_price_check', `price > 0`)
@Check('products_stock_check', `stock >= 0`)
@Index('products_live_idx', ['id'], { where: 'deleted_at IS NULL' })
@Index('products_block_name_idx', { synchronize: false })
export class Product {
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'ALWAYS',
    primaryKeyConstraintName: 'products_pkey',
  })
  id: number;

  @Column('varchar', { length: 255 })
  name: string;

  /** What a search looks into. The database fills it from the name. */
  @Column({ type: 'text', nullable: true, select: false, insert: false, update: false })
  searchName?: string | null;

  @Column('numeric', { precision: 12, scale: 2, transformer: centsTransformer })
  price: Cents;

  /** Units that can be sold now. Changed only under the row's lock or by an atomic `UPDATE`, never read, added to and written back. */
  @Column('integer')
  stock: number;

  /** Units that one customer may have, bought and held; null for any number. */
  @Column('integer', { nullable: true })
  maxPerCustomer: number | null;

  @CreateDateColumn({ type: 'timestamptz', precision: 3 })
  createdAt: Date;

  /** Moved by a trigger on every change. */
  @UpdateDateColumn({ type: 'timestamptz', precision: 3 })
  updatedAt: Date;

  @DeleteDateColumn({ type: 'timestamptz', precision: 3 })
  deletedAt: Date | null;
}
