import { ValidateBy } from 'class-validator';

export const MAX_PRICE = 99_999_999.99;

/** A price: a JSON number above 0, at most 99 999 999.99, with at most two decimals, as JavaScript reads it. */
export function IsPrice(): PropertyDecorator {
  return ValidateBy({
    name: 'isPrice',
    validator: {
      validate: (value) =>
        typeof value === 'number' && value > 0 && value <= MAX_PRICE && /^\d+(\.\d{1,2})?$/.test(String(value)),
      defaultMessage: (argument) =>
        `${argument?.property} must be a number above 0 and at most ${MAX_PRICE}, with at most two decimals`,
    },
  });
}
