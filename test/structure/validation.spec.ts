import { plainToInstance } from 'class-transformer';
import {
  getMetadataStorage,
  IsString,
  ValidateBy,
  ValidateIf,
  validateSync,
  type ValidationError,
} from 'class-validator';
import fc from 'fast-check';
import { isAccepted } from '../../src/http/validation/acceptance.js';
import '../../src/roles/api/api.module.js';

const OPTIONS = { whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true };

const ITEMS = [
  [],
  [{ product_id: 1 }],
  [{ product_id: 1, quantity: 2 }],
  [{ product_id: '1' }],
  [{}],
  [null],
  [[]],
  {},
];
/** Values that the rules of some property take, and those at their edges. */
const VALUES = [
  ...[0, 1, 10, 9.99, 9.999, -1, 100, 3600, 1_000_001, 2 ** 53, Number.NaN, true, false, null],
  ...['', '1', ' a ', 'x'.repeat(300), 'pending', 'storefront', '2026-01-15T10:30:00Z', '2026-02-30T10:30:00Z'],
  ...[...ITEMS, [1, 2], ['products:read'], ['nothing'], { order_ids: [1] }, { order_ids: 1 }, { other: 1 }],
];

type Class = new () => object;

/** Every class that has rules, once the API is loaded; what class-validator knows has no public list. */
function validatedClasses(): Class[] {
  const rules: unknown = Reflect.get(getMetadataStorage(), 'validationMetadatas');
  if (!(rules instanceof Map)) throw new Error('class-validator keeps its rules in another place');
  return [...rules.keys()].filter((key): key is Class => typeof key === 'function' && key.name !== 'CustomConstraint');
}

function propertiesOf(type: Class): string[] {
  const rules = getMetadataStorage().getTargetValidationMetadatas(type, '', false, false);
  return [...new Set(rules.map(({ propertyName }) => propertyName))];
}

function errorsOf(type: Class, plain: object): ValidationError[] {
  return validateSync(plainToInstance(type, plain), OPTIONS);
}

it.each(validatedClasses().map((type) => [type.name, type] as const))(
  '%s accepts at once exactly what class-validator finds nothing wrong with',
  (_name, type) => {
    const any = fc.constantFrom(...VALUES);
    const properties = Object.fromEntries(
      propertiesOf(type).map((name) => {
        const good = VALUES.filter(
          (value) => !errorsOf(type, { [name]: value }).some(({ property }) => property === name),
        );
        return [name, fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...good) }, any)];
      }),
    );
    const body = fc.oneof(
      { weight: 9, arbitrary: fc.record(properties, { requiredKeys: [] }) },
      fc.record({ ...properties, unknown: any }, { requiredKeys: [] }),
    );
    let accepted = 0;
    fc.assert(
      fc.property(body, (plain) => {
        const isValid = isAccepted(plainToInstance(type, plain));
        accepted += Number(isValid);
        expect(isValid).toBe(errorsOf(type, plain).length === 0);
      }),
      { numRuns: 3_000 },
    );
    expect(accepted).toBeGreaterThan(0);
  },
);

it('leaves to class-validator what it does not know', () => {
  class Conditional {
    @ValidateIf((object: Conditional) => object.isBound)
    @IsString({ each: true })
    readonly texts: unknown = ['a'];

    @ValidateBy({ name: 'any', validator: { validate: () => true } })
    readonly isBound: boolean = true;
  }
  class Conditioned {
    @IsString({ validateIf: () => false })
    readonly text: unknown = 1;
  }
  const conditional = (values: object) => Object.assign(new Conditional(), values);
  expect(isAccepted(conditional({}))).toBe(true);
  expect(isAccepted(conditional({ texts: ['a', 1] }))).toBe(false);
  expect(isAccepted(conditional({ texts: ['a', 1], isBound: false }))).toBe(true);
  expect(isAccepted(conditional({ texts: new Set(['a']) }))).toBe(false);
  expect(validateSync(conditional({ texts: new Set(['a']) }))).toEqual([]);
  expect(isAccepted(new Conditioned())).toBe(false);
  expect(validateSync(new Conditioned())).toEqual([]);
  expect(isAccepted({})).toBe(false);
});
