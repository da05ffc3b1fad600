import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { ValidateBy, ValidateIf } from 'class-validator';

const MOMENT = /^(\d{4})-(\d\d)-(\d\d)[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/;
const CONTROL = /\p{Cc}/u;
/** The blank of Braille is a symbol, and yet nothing can be seen of it. */
const VISIBLE = /[^\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/u;

// One decorator a rule, and one message that states the whole rule: a client that breaks it twice is told once.

/** A whole number from `min` to `max`; a numeric text is not one. */
export function IsIntegerBetween(min: number, max: number): PropertyDecorator {
  return ValidateBy({
    name: 'isIntegerBetween',
    validator: {
      validate: (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max,
      defaultMessage: (argument) => `${argument?.property} must be a whole number from ${min} to ${max}`,
    },
  });
}

/** A whole number from `-max` to `max` that is not 0. */
export function IsIntegerOtherThanZero(max: number): PropertyDecorator {
  return ValidateBy({
    name: 'isIntegerOtherThanZero',
    validator: {
      validate: (value) => Number.isInteger(value) && value !== 0 && Math.abs(Number(value)) <= max,
      defaultMessage: (argument) => `${argument?.property} must be a whole number from ${-max} to ${max}, and not 0`,
    },
  });
}

/** The id of a row; one that no row has is for the service to miss. */
export function IsId(): PropertyDecorator {
  return ValidateBy({
    name: 'isId',
    validator: {
      validate: (value) => Number.isSafeInteger(value),
      defaultMessage: (argument) => `${argument?.property} must be a whole number`,
    },
  });
}

/** A list of 1 to `max` ids. */
export function IsIdList(max: number): PropertyDecorator {
  return ValidateBy({
    name: 'isIdList',
    validator: {
      validate: (value) => Array.isArray(value) && isWithin(value.length, 1, max) && value.every(Number.isSafeInteger),
      defaultMessage: (argument) => `${argument?.property} must be a list of 1 to ${max} whole numbers`,
    },
  });
}

/** One of some texts. */
export function IsOneOf(choices: readonly string[]): PropertyDecorator {
  return ValidateBy({
    name: 'isOneOf',
    validator: {
      validate: (value) => choices.some((choice) => choice === value),
      defaultMessage: (argument) => `${argument?.property} must be one of ${choices.join(', ')}`,
    },
  });
}

/** A list of one or more of some texts. */
export function IsListOf(choices: readonly string[]): PropertyDecorator {
  return ValidateBy({
    name: 'isListOf',
    validator: {
      validate: (value) =>
        Array.isArray(value) &&
        isWithin(value.length, 1, choices.length) &&
        value.every((each) => choices.some((choice) => choice === each)),
      defaultMessage: (argument) => `${argument?.property} must be a list of one or more of ${choices.join(', ')}`,
    },
  });
}

/** A text of `min` to `max` characters without NUL or half a surrogate pair, which PostgreSQL cannot store. */
export function IsText(min: number, max: number): PropertyDecorator {
  return ValidateBy({
    name: 'isText',
    validator: {
      validate: (value) =>
        typeof value === 'string' &&
        value.isWellFormed() &&
        !value.includes('\0') &&
        isWithin(Array.from(value).length, min, max),
      defaultMessage: (argument) =>
        `${argument?.property} must be a text of ${min} to ${max} characters, none of them NUL`,
    },
  });
}

/**
 * A text of `min` to `max` characters in which something can be seen, on one line: the name of something. Joiners and direction marks
 * within it are letters of some scripts, and stay.
 */
export function IsName(min: number, max: number): PropertyDecorator {
  return ValidateBy({
    name: 'isName',
    validator: {
      validate: (value) =>
        typeof value === 'string' &&
        value.isWellFormed() &&
        !CONTROL.test(value) &&
        VISIBLE.test(value) &&
        isWithin(Array.from(value).length, min, max),
      defaultMessage: (argument) =>
        `${argument?.property} must be a text of ${min} to ${max} characters, with something to be seen and no control character`,
    },
  });
}

/** A moment of RFC 3339, with its zone: `2026-01-15T10:30:00Z`. */
export function IsMoment(): PropertyDecorator {
  return ValidateBy({
    name: 'isMoment',
    validator: {
      validate: (value) => typeof value === 'string' && isMoment(value),
      defaultMessage: (argument) => `${argument?.property} must be a moment like 2026-01-15T10:30:00Z`,
    },
  });
}

function isMoment(text: string): boolean {
  const [, year, month, day] = MOMENT.exec(text) ?? [];
  const daysOfMonth = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  return Number(day) <= daysOfMonth && !Number.isNaN(Date.parse(text));
}

/** Takes the white space off both ends of a text before it is validated. */
export function Trimmed(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim() : value));
}

/** Reads digits of a path or a query string as a number; anything else (`1e3`, `0x10`, an empty text) is left to be refused. */
export function DigitsToNumber(): PropertyDecorator {
  return Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value,
  );
}

/** A query parameter that may be left empty, `?search=`, which means the same as leaving it out. */
export function EmptyIsAbsent(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (value === '' ? undefined : value)),
    OptionalField(),
  );
}

/** The field may be absent. Unlike class-validator's `IsOptional`, `null` is not the same as absent and is refused. */
export function OptionalField(): PropertyDecorator {
  return ValidateIf((_object, value) => value !== undefined);
}

/** The field may be `null`, which means something else than that it is absent. */
export function NullIsAllowed(): PropertyDecorator {
  return ValidateIf((_object, value) => value !== null);
}

function isWithin(value: number, min: number, max: number): boolean {
  return value >= min && value <= max;
}
