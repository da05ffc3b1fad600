import fc from 'fast-check';
import { mergeItems } from './requested-item.js';

const items = fc.array(
  fc.record({ productId: fc.integer({ min: 1, max: 9 }), quantity: fc.integer({ min: 1, max: 1_000 }) }),
  {
    minLength: 1,
    maxLength: 100,
  },
);

describe('mergeItems', () => {
  it('keeps every unit, names each product once, and keeps their order', () => {
    fc.assert(
      fc.property(items, (requested) => {
        const merged = mergeItems(requested);
        const ids = merged.map(({ productId }) => productId);
        expect(ids).toEqual([...new Set(requested.map(({ productId }) => productId))]);
        for (const { productId, quantity } of merged) {
          const wanted = requested.filter((item) => item.productId === productId);
          expect(quantity).toBe(wanted.reduce((sum, item) => sum + item.quantity, 0));
        }
      }),
    );
  });

  it('refuses a sum above a million, and names each product that has one', () => {
    const item = (productId: number) => ({ productId, quantity: 600_000 });
    expect(() => mergeItems([item(1), item(2), item(1), item(3), item(3)])).toThrow(
      expect.objectContaining({
        errors: [
          { field: 'items', message: 'items of product 1 must not add up to more than 1000000' },
          { field: 'items', message: 'items of product 3 must not add up to more than 1000000' },
        ],
      }),
    );
  });
});
