import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';

/** What the document says of a value; of OpenAPI 3.0, whose schemas are not quite those of JSON Schema. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly nullable?: boolean;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

export interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>
  >;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

export const DOCUMENT: Document = JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8'));

/** What may be answered to any request, and stands at no route: by HTTP itself, and for a fault of ours, which some tests make. */
const OF_ANY = new Set([400, 405, 408, 413, 414, 415, 421, 431, 500]);
const METHODS_WITHOUT_BODY = new Set(['HEAD', 'OPTIONS']);
/** Its members differ by code. */
const OPEN_SCHEMAS = new Set(['ProblemDetails']);

const ajv = new Ajv({ strict: false, allErrors: true });
formats.default(ajv);
for (const [name, schema] of Object.entries(DOCUMENT.components.schemas)) {
  ajv.addSchema(toJsonSchema(schema, OPEN_SCHEMAS.has(name)), `/components/schemas/${name}`);
}
const validators = new Map<Schema, ValidateFunction>();

const patterns = Object.keys(DOCUMENT.paths).map((path) => ({
  path,
  pattern: new RegExp(`^${path.replace(/\{[^}]+\}/g, '[^/]+')}/?$`),
}));

/** The operation of a request; `undefined` for one that the document does not have. */
function operationOf(method: string, url: string): Operation | undefined {
  const { pathname } = new URL(url);
  const found = patterns.filter(({ pattern }) => pattern.test(pathname));
  // `/orders/abc` is no path with a parameter where `/orders/bulk` is one without.
  const [best] = found.sort((a, b) => Number(a.path.includes('{')) - Number(b.path.includes('{')));
  return best === undefined ? undefined : DOCUMENT.paths[best.path]?.[method.toLowerCase()];
}

interface Answered {
  readonly status: number;
  readonly contentType: string | null;
  readonly text: string;
}

/** What of an answer is otherwise than the document says; nothing for a request that it does not have. */
export function faultsOf(method: string, url: string, { status, contentType, text }: Answered): string[] {
  const operation = operationOf(method, url);
  if (operation === undefined || METHODS_WITHOUT_BODY.has(method)) return [];
  const response = operation.responses[status];
  if (response === undefined) {
    const isOfBrowsers = status === 403 && text.includes('FORBIDDEN_ORIGIN');
    return OF_ANY.has(status) || isOfBrowsers ? [] : [`${status} is not documented`];
  }
  if (response.content === undefined) return text === '' ? [] : [`${status} has a body`];
  const [type = ''] = (contentType ?? '').split(';');
  const content = response.content[type];
  if (content === undefined) return [`${status} is of the type ${type}`];
  if (type === 'text/event-stream') return [];
  const validate = validatorOf(content.schema);
  if (validate(JSON.parse(text))) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}

function validatorOf(schema: Schema): ValidateFunction {
  const known = validators.get(schema) ?? ajv.compile(toJsonSchema(schema, false));
  validators.set(schema, known);
  return known;
}

/** @param isOpen whether it may have fields that the document does not name. */
function toJsonSchema(schema: Schema, isOpen: boolean): object {
  const { $ref, nullable, exclusiveMinimum, minimum, items, properties, oneOf, allOf, enum: choices, ...same } = schema;
  const each = (inner: Schema) => toJsonSchema(inner, isOpen);
  const own = {
    ...same,
    ...($ref === undefined ? {} : { $ref: $ref.replace('#', '') }),
    ...(choices === undefined ? {} : { enum: choices }),
    ...(minimum === undefined ? {} : exclusiveMinimum === true ? { exclusiveMinimum: minimum } : { minimum }),
    ...(items === undefined ? {} : { items: each(items) }),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, each(inner)])),
          ...(isOpen || 'additionalProperties' in schema ? {} : { additionalProperties: false }),
        }),
    ...(oneOf === undefined ? {} : { oneOf: oneOf.map(each) }),
    ...(allOf === undefined ? {} : { allOf: allOf.map(each) }),
  };
  return nullable === true ? { anyOf: [own, { type: 'null' }] } : own;
}
