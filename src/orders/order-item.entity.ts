import { Check, Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { type Cents, centsTransformer } from '../kernel/money.js';
import { Product } from '../products/product.entity.js';
import type { Order } from './order.entity.js';

/** What an order holds of one product, at the price of the moment of purchase. */
@Entity('order_items')
@Check('order_items_quantity_check', `quantity > 0`)
@Check('order_items_unit_price_check', `unit_price > 0`)
export class OrderItem {
  @PrimaryColumn('bigint', { primaryKeyConstraintName: 'order_items_pkey' })
  orderId: number;

  @PrimaryColumn('bigint', { primaryKeyConstraintName: 'order_items_pkey' })
  productId: number;

  @Column('integer')
  quantity: number;

  @Column('numeric', { precision: 12, scale: 2, transformer: centsTransformer })
  unitPrice: Cents;

  @ManyToOne('Order', 'items')
  @JoinColumn({ name: 'order_id', foreignKeyConstraintName: 'order_items_order_id_fkey' })
  order?: Order;

  @ManyToOne(() => Product)
  @JoinColumn({ name: 'product_id', foreignKeyConstraintName: 'order_items_product_id_fkey' })
  product?: Product;
}
