import fc, { type Arbitrary } from 'fast-check';
import { DOCUMENT, type Operation, type Schema } from '../support/document.js';

/** What the document says of a request, made up: as it has to be, or with one thing wrong. */
export interface MadeRequest {
  readonly method: string;
  /** With its ids and its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** What is wrong; the API has to refuse it. */
  readonly fault?: string;
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
/** Ids are small, so that many are of something. */
const ID = fc.oneof({ weight: 8, arbitrary: fc.integer({ min: 1, max: 40 }) }, fc.maxSafeInteger());
const NO_ID = fc.constantFrom('abc', '1.5', '1e3', '0x10', '%00', '9'.repeat(30), 'null', '-');
/** Of another type than any field has that is a number, a text or a list. */
const STRANGE = fc.constantFrom<unknown>(true, { a: 1 }, [[]], [null]);
/** They end nothing that a later request needs, and do not answer for ever. */
const LEFT_OUT = /flash-sales$/;

/** A request that the document allows. */
export function validRequest(): Arbitrary<MadeRequest> {
  return fc.oneof(...operations().map((each) => requestOf(each)));
}

/** One with a body, a parameter or an id that the document does not allow. */
export function invalidRequest(): Arbitrary<MadeRequest> {
  return fc.oneof(
    ...operations().flatMap((each) => [...withWrongBody(each), ...withWrongQuery(each), ...withWrongId(each)]),
  );
}

/** A path of the document with a method that it does not have. */
export function wrongMethod(): Arbitrary<MadeRequest> {
  const pairs = Object.entries(DOCUMENT.paths).flatMap(([path, known]) =>
    METHODS.filter((method) => !(method in known)).map((method) => ({ path, method })),
  );
  return fc.tuple(fc.constantFrom(...pairs), ID).map(([{ path, method }, id]) => ({
    method: method.toUpperCase(),
    path: path.replace(/\{[^}]+\}/g, String(id)),
    headers: {},
    fault: 'method',
  }));
}

interface Described {
  readonly path: string;
  readonly method: string;
  readonly operation: Operation;
}

function operations(): Described[] {
  return Object.entries(DOCUMENT.paths)
    .filter(([path]) => !LEFT_OUT.test(path))
    .flatMap(([path, known]) =>
      Object.entries(known).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
    );
}

function requestOf({ path, method, operation }: Described): Arbitrary<MadeRequest> {
  const named = (place: string) => (operation.parameters ?? []).filter((each) => each.in === place);
  const query = fc.record(Object.fromEntries(named('query').map(({ name, schema }) => [name, valueOf(schema, name)])), {
    requiredKeys: [],
  });
  const hasKey = named('header').some(({ name }) => name === 'Idempotency-Key');
  // Few of them, so that many are sent twice.
  const key = hasKey ? fc.option(fc.constantFrom('a', 'b', '"c"', 'c')) : fc.constant(null);
  const schema = bodyOf(operation);
  return fc
    .record({ id: ID, query, key, body: schema === undefined ? fc.constant(undefined) : valueOf(schema) })
    .map(({ id, query: parameters, key: idempotencyKey, body }) => {
      const text = new URLSearchParams(
        Object.entries(parameters).map(([name, value]) => [name, String(value)] as [string, string]),
      ).toString();
      return {
        method,
        path: `${path.replace(/\{[^}]+\}/g, String(id))}${text === '' ? '' : `?${text}`}`,
        headers: toHeaders(idempotencyKey),
        ...(body === undefined ? {} : { body }),
      };
    });
}

function toHeaders(key: string | null): Record<string, string> {
  return key === null ? {} : { 'Idempotency-Key': key };
}

function bodyOf({ requestBody }: Operation): Schema | undefined {
  return requestBody?.content['application/json']?.schema;
}

/** Without a key: what is refused for its body must not be answered as something before. */
function unkeyed(request: MadeRequest, fault: string): MadeRequest {
  return { ...request, headers: {}, fault };
}

function withWrongBody(described: Described): Arbitrary<MadeRequest>[] {
  const schema = bodyOf(described.operation);
  if (schema === undefined) return [];
  const forms = (resolved(schema).oneOf ?? [schema]).map(resolved);
  const wrong = forms.flatMap(({ properties = {}, required = [] }) => [
    fc.constant({ change: (body: object) => ({ ...body, unknown_field: 1 }), fault: 'an unknown field' }),
    ...required.map((name) =>
      fc.constant({
        change: (body: object) => Object.fromEntries(Object.entries(body).filter(([each]) => each !== name)),
        fault: `${name} is missing`,
      }),
    ),
    ...Object.entries(properties).map(([name, field]) =>
      wrongValueOf(field).map((value) => ({
        change: (body: object) => ({ ...body, [name]: value }),
        fault: `${name} is ${JSON.stringify(value)}`,
      })),
    ),
  ]);
  const changed = fc
    .tuple(requestOf(described), fc.oneof(...wrong))
    .map(([request, { change, fault }]) =>
      unkeyed({ ...request, body: change(typeof request.body === 'object' ? (request.body ?? {}) : {}) }, fault),
    );
  const noObject = fc
    .tuple(requestOf(described), fc.constantFrom<unknown>([], 'text', 7, null, true))
    .map(([request, body]) => unkeyed({ ...request, body }, `the body is ${JSON.stringify(body)}`));
  return [changed, noObject];
}

function withWrongQuery(described: Described): Arbitrary<MadeRequest>[] {
  const parameters = (described.operation.parameters ?? []).filter((each) => each.in === 'query');
  return parameters.flatMap(({ name, schema }) => {
    const wrong = wrongTextsOf(schema);
    if (wrong.length === 0) return [];
    return [
      fc.tuple(requestOf(described), fc.constantFrom(...wrong)).map(([request, text]) => {
        const url = new URL(request.path, 'http://localhost');
        url.searchParams.set(name, text);
        return unkeyed({ ...request, path: `${url.pathname}${url.search}` }, `${name}=${text}`);
      }),
    ];
  });
}

function withWrongId(described: Described): Arbitrary<MadeRequest>[] {
  if (!described.path.includes('{')) return [];
  return [
    fc
      .tuple(requestOf(described), NO_ID)
      .map(([request, id]) =>
        unkeyed({ ...request, path: described.path.replace(/\{[^}]+\}/g, id) }, `the id is ${id}`),
      ),
  ];
}

function resolved(schema: Schema): Schema {
  if (schema.$ref === undefined) return schema;
  const found = DOCUMENT.components.schemas[schema.$ref.split('/').at(-1) ?? ''];
  if (found === undefined) throw new Error(`The document has no ${schema.$ref}`);
  return found;
}

/** Anything that the schema allows. */
function valueOf(schema: Schema, name = ''): Arbitrary<unknown> {
  const { type, nullable, oneOf, enum: choices, ...rest } = resolved(schema);
  const own = (): Arbitrary<unknown> => {
    if (choices !== undefined) return fc.constantFrom(...choices);
    if (oneOf !== undefined) return fc.oneof(...oneOf.map((each) => valueOf(each)));
    if (type === 'integer') {
      if (rest.format === 'int64' || name.endsWith('_id')) return ID;
      return fc.integer({ min: rest.minimum ?? -10, max: Math.min(rest.maximum ?? 1_000, 2 ** 31 - 1) });
    }
    if (type === 'number') return fc.integer({ min: 1, max: 100_000 }).map((cents) => cents / 100);
    if (type === 'boolean') return fc.boolean();
    if (type === 'array') {
      return fc.array(valueOf(rest.items ?? {}), {
        minLength: rest.minItems ?? 0,
        maxLength: Math.min(rest.maxItems ?? 4, 4),
      });
    }
    if (type === 'string') return textOf(rest);
    return fc.record(
      Object.fromEntries(Object.entries(rest.properties ?? {}).map(([field, inner]) => [field, valueOf(inner, field)])),
      { requiredKeys: [...(rest.required ?? [])] },
    );
  };
  return nullable === true ? fc.option(own()) : own();
}

function textOf({ format, minLength = 0, maxLength = 20 }: Schema): Arbitrary<string> {
  if (format === 'date-time')
    return fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }).map((date) => date.toISOString());
  return fc
    .string({ unit: 'binary', minLength, maxLength: Math.min(maxLength, 300) })
    .map((text) => text.toWellFormed());
}

/** Values that the schema does not allow. */
function wrongValueOf(schema: Schema): Arbitrary<unknown> {
  const { type, nullable, enum: choices, minimum, maximum, maxLength, maxItems, exclusiveMinimum } = resolved(schema);
  const others: unknown[] = nullable === true ? [] : [null];
  if (type === 'integer' || type === 'number') {
    others.push('1', '', [1], 1e300);
    if (type === 'integer') others.push(1.5);
    if (minimum !== undefined) others.push(exclusiveMinimum === true ? minimum : minimum - 1);
    if (maximum !== undefined) others.push(maximum + 1);
  } else if (type === 'string') {
    others.push(7, ['a'], choices === undefined ? '\u0000' : 'none of them');
    if (maxLength !== undefined) others.push('x'.repeat(maxLength + 1));
  } else if (type === 'array') {
    others.push(
      'a',
      7,
      Array.from({ length: (maxItems ?? 1_000) + 1 }, () => 1),
    );
  } else {
    others.push('a', 7);
  }
  return fc.oneof(fc.constantFrom(...others), type === undefined || type === 'object' ? fc.constant(7) : STRANGE);
}

/** The same as texts of a query. */
function wrongTextsOf(schema: Schema): string[] {
  const { type, enum: choices, minimum, maximum, maxLength } = resolved(schema);
  if (choices !== undefined) return ['none of them'];
  if (type === 'integer') {
    return [
      'abc',
      '1.5',
      '1e3',
      ' 1',
      ...(minimum === undefined ? [] : [String(minimum - 1)]),
      ...(maximum === undefined ? [] : [String(maximum + 1)]),
    ];
  }
  return type === 'string' && maxLength !== undefined ? ['x'.repeat(maxLength + 1)] : [];
}
