import fc from 'fast-check';
import { LIMITS } from '../../config/limits.js';
import { failureOf, isObject } from './json-bodies.js';
import { guardBody, guardBytes } from './body-guard.js';

const bytesOf = (text: string) => Buffer.from(text);
const asked = (text: string) => failureOf(() => guardBytes(bytesOf(text)));
/** Longer than what is looked at byte by byte. */
const LONG = 'x'.repeat(LIMITS.bodyValues);

it('refuses what is dear to parse before it is parsed', () => {
  const many = LIMITS.bodyValues;
  for (const text of [
    `{"a":${'['.repeat(520_000)}${']'.repeat(520_000)}}`,
    `{"items":[${'{},'.repeat(345_000)}{}]}`,
    `{"items":[${'1,'.repeat(many)}1]}`,
    `{"a":${'{"a":'.repeat(many)}1${'}'.repeat(many)}}`,
    '['.repeat(many + 1),
    `{"${LONG}\\\\":[[[[[1]]]]]}`,
  ])
    expect(asked(text)).toMatchObject({ name: 'ValidationError' });
});

it('takes nothing in a text for more than text', () => {
  for (const inside of ['[[[[[[[[', ','.repeat(LIMITS.bodyValues + 1), '\\"[[[[[[', '\\\\', '\\u0022,,,'])
    expect(asked(`{"name":"${LONG}${inside}","price":1}`)).toBeNull();
});

it('refuses no body that would be taken', () => {
  const values = fc.jsonValue({ maxDepth: 7, noUnicodeString: false });
  fc.assert(
    fc.property(
      fc.record({ long: fc.constant(LONG), more: values, list: fc.array(values, { maxLength: 50 }) }),
      (body) => {
        const parsed: unknown = JSON.parse(JSON.stringify(body));
        if (!isObject(parsed)) throw new Error('It is an object');
        if (failureOf(() => guardBody(parsed)) === null) expect(asked(JSON.stringify(body))).toBeNull();
      },
    ),
    { numRuns: 500 },
  );
});
