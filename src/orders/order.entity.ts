import {
  Check,
  Column,
  CreateDateColumn,
  Entity,
  Index,
  OneToMany,
  PrimaryGeneratedColumn,
  UpdateDateColumn,
} from 'typeorm';
import { type Cents, centsTransformer } from '../kernel/money.js';
import { OrderItem } from './order-item.entity.js';
import type { OrderStatus } from './order-status.js';

/** A purchase that was committed. Its `pending` row is the durable intent to process it. */
@Entity('orders')
@Check('orders_status_check', `status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')`)
@Check('orders_total_price_check', `total_price > 0`)
@Index('orders_status_id_idx', ['status', 'id'])
@Index('orders_customer_ref_id_idx', ['customerRef', 'id'], { where: 'customer_ref IS NOT NULL' })
@Index('orders_customer_ref_idx', { synchronize: false })
@Index('orders_open_idx', ['id'], { where: `status IN ('pending', 'processing')` })
export class Order {
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    generatedIdentity: 'ALWAYS',
    primaryKeyConstraintName: 'orders_pkey',
  })
  id: number;

  @Column('numeric', { precision: 16, scale: 2, transformer: centsTransformer })
  totalPrice: Cents;

  @Column('text', { default: 'pending' })
  status: OrderStatus;

  /** The gateway's idempotency key of the order. An order from before there were keys has none, and is known by its id. */
  @Column('uuid', { nullable: true, select: false })
  fulfilmentKey?: string | null;

  /** The shop's own id of the buyer. */
  @Column('text', { nullable: true })
  customerRef: string | null;

  @CreateDateColumn({ type: 'timestamptz', precision: 3 })
  createdAt: Date;

  /** Set by each change, and by a trigger where a change does not set it. */
  @UpdateDateColumn({ type: 'timestamptz', precision: 3 })
  updatedAt: Date;

  @OneToMany(() => OrderItem, (item) => item.order)
  items: OrderItem[];
}
