import fc from 'fast-check';
import { toJsonNumber } from './json-number.js';
import { formatCents, parseCents } from './money.js';

const amounts = fc.bigInt({ min: 0n, max: 9_999_999_999_999_999n });

describe('money', () => {
  it.each([
    ['0', 0n],
    ['9.9', 990n],
    ['9.99', 999n],
    ['10.00', 1_000n],
    ['0.07', 7n],
    ['99999999999999.99', 9_999_999_999_999_999n],
  ])('reads %s as %d cents', (text, cents) => expect(parseCents(text)).toBe(cents));

  it.each(['', '-1', '1.234', '1e3', '.5', '1.', ' 1', 'NaN'])('refuses %j', (text) => {
    expect(() => parseCents(text)).toThrow(RangeError);
  });

  it('reads back what it prints, to the cent', () => {
    fc.assert(fc.property(amounts, (cents) => parseCents(formatCents(cents)) === cents));
  });

  it('prints JSON numbers digit by digit', () => {
    fc.assert(fc.property(amounts, (cents) => parseCents(JSON.stringify(toJsonNumber(cents))) === cents));
    expect(JSON.stringify([1_000n, 990n, 999n, 0n, 10_000n].map(toJsonNumber))).toBe('[10,9.9,9.99,0,100]');
  });
});
