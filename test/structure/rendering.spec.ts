import fc from 'fast-check';
import { OrderItem } from '../../src/orders/order-item.entity.js';
import { ORDER_STATUSES } from '../../src/orders/order-status.js';
import { Order } from '../../src/orders/order.entity.js';
import { OrderResponse } from '../../src/orders/dto/order.response.js';
import { storedOrder } from '../../src/orders/stored-order.js';
import { ProductResponse } from '../../src/products/dto/product.response.js';
import { storedProduct } from '../../src/products/stored-product.js';
import { ReservationResponse } from '../../src/reservations/dto/reservation.response.js';
import { RESERVATION_STATUSES } from '../../src/reservations/reservation.js';
import { StockMovementResponse } from '../../src/stock/dto/stock-movement.response.js';
import { MAX_TOTAL } from '../../src/stock/priced-item.js';
import { MAX_ITEMS, MAX_QUANTITY } from '../../src/stock/requested-item.js';
import { MOVEMENT_KINDS } from '../../src/stock/movements/stock-movement.js';
import { MAX_STOCK } from '../../src/stock/stock.js';
import { storedMovement } from '../../src/stock/movements/stored-movement.js';

const id = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const cents = (max: bigint) => fc.bigInt({ min: 1n, max });
const moment = fc.date({ noInvalidDate: true });
const quantity = fc.integer({ min: 1, max: MAX_QUANTITY });
const PRICE = cents(9_999_999_999n);

const item = fc.record({ productId: id, quantity, unitPrice: PRICE });
const order = fc
  .record({
    id,
    totalPrice: cents(MAX_TOTAL),
    status: fc.constantFrom(...ORDER_STATUSES),
    customerRef: fc.option(fc.string({ unit: 'binary' })),
    items: fc.uniqueArray(item, { selector: ({ productId }) => productId, minLength: 1, maxLength: MAX_ITEMS }),
    createdAt: moment,
    updatedAt: moment,
  })
  .map(({ items, ...rest }) =>
    Object.assign(new Order(), {
      ...rest,
      items: items.map((each) => Object.assign(new OrderItem(), { orderId: rest.id, ...each })),
    }),
  );
const product = fc.record({
  id,
  name: fc.string({ unit: 'binary', minLength: 1, maxLength: 255 }),
  price: PRICE,
  stock: fc.integer({ min: 0, max: MAX_STOCK }),
  maxPerCustomer: fc.option(quantity),
  createdAt: moment,
  updatedAt: moment,
});
const movement = fc.record({
  id,
  productId: id,
  kind: fc.constantFrom(...MOVEMENT_KINDS),
  quantity: fc.integer(),
  stockAfter: fc.integer({ min: 0, max: MAX_STOCK }),
  orderId: fc.option(id),
  reservationId: fc.option(id),
  reason: fc.option(fc.string({ unit: 'binary' })),
  actor: fc.option(fc.string()),
  requestId: fc.option(fc.string()),
  createdAt: moment,
});
const reservation = fc.record({
  id,
  status: fc.constantFrom(...RESERVATION_STATUSES),
  items: fc.array(fc.record({ productId: id, quantity }), { minLength: 1, maxLength: MAX_ITEMS }),
  customerRef: fc.option(fc.string({ unit: 'binary' })),
  orderId: fc.option(id),
  expiresAt: moment,
  createdAt: moment,
  updatedAt: moment,
});

/** The rendering of a sold order must not fail: the order exists, and its buyer would be told 500. */
describe('what stands in the database', () => {
  it('is rendered, whatever it is, with each digit of its money', () => {
    fc.assert(
      fc.property(fc.tuple(order, product, movement, reservation), ([anOrder, aProduct, aMovement, aReservation]) => {
        const text = JSON.stringify(OrderResponse.of(anOrder));
        const { whole, fraction = '' } = /"total_price":(?<whole>\d+)(?:\.(?<fraction>\d+))?/.exec(text)?.groups ?? {};
        expect(BigInt(`${whole}${fraction.padEnd(2, '0')}`)).toBe(anOrder.totalPrice);
        for (const rendered of [
          ProductResponse.of(aProduct),
          StockMovementResponse.of(aMovement),
          ReservationResponse.of(aReservation),
        ]) {
          expect(JSON.parse(JSON.stringify(rendered)).id).toBe(rendered.id);
        }
      }),
    );
  });

  it('is what it was when it is kept with an idempotency key and replayed', () => {
    fc.assert(
      fc.property(order, product, movement, (anOrder, aProduct, aMovement) => {
        const again = storedOrder.fromText(storedOrder.toText(anOrder));
        expect(JSON.stringify(OrderResponse.of(again))).toBe(JSON.stringify(OrderResponse.of(anOrder)));
        expect(storedProduct.fromText(storedProduct.toText(aProduct))).toEqual(aProduct);
        expect(storedMovement.fromText(storedMovement.toText(aMovement))).toEqual(aMovement);
      }),
    );
  });

  it('is kept as the release before kept it, so that either release replays the results of the other', () => {
    fc.assert(
      fc.property(order, product, movement, (anOrder, aProduct, aMovement) => {
        expect(storedOrder.toText(anOrder)).toBe(JSON.stringify(OrderResponse.of(anOrder)));
        expect(storedProduct.toText(aProduct)).toBe(JSON.stringify(ProductResponse.of(aProduct)));
        const { id: movementId, created_at } = JSON.parse(storedMovement.toText(aMovement));
        expect([movementId, created_at]).toEqual([aMovement.id, aMovement.createdAt.toISOString()]);
        expect(JSON.parse(storedMovement.toText(aMovement))).toEqual(
          JSON.parse(JSON.stringify(StockMovementResponse.of(aMovement))),
        );
      }),
    );
  });
});
