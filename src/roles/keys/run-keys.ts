import { parseArgs } from 'node:util';
import type { INestApplicationContext } from '@nestjs/common';
import { validateSync } from 'class-validator';
import { DataSource } from 'typeorm';
import type { ApiKey, IssuedApiKey } from '../../access/api-key.js';
import { selectApiKeys } from '../../access/api-key-rows.js';
import { ApiKeysService } from '../../access/api-keys.service.js';
import { CreateApiKeyDto, newApiKeyOf } from '../../access/dto/create-api-key.dto.js';
import { MAX_OVERLAP_SECONDS } from '../../access/dto/roll-api-key.dto.js';
import type { Config } from '../../config/config.js';
import { readPrepared } from '../../database/prepared-statement.js';
import { ANYBODY, type Caller } from '../../kernel/access/caller.js';
import { ACCESS_ROLE_NAMES, SCOPES } from '../../kernel/access/scopes.js';
import { withRequest } from '../../runtime/request-context.js';
import { commandActor } from '../command-actor.js';
import { runCommand } from '../run-command.js';
import { toTextTable } from '../text-table.js';
import { KeysRootModule } from './keys-root.module.js';

const USAGE = `npm run --silent keys -- create --name NAME (--role ROLE | --scopes SCOPE,SCOPE) [--customer REF] [--expires 90d]
npm run --silent keys -- list
npm run --silent keys -- roll ID [--overlap SECONDS]
npm run --silent keys -- revoke ID

ROLE is ${ACCESS_ROLE_NAMES.join(', ')}; SCOPE is ${SCOPES.join(', ')}.
With --customer, the key is that customer, who sees and changes only what carries this customer_ref.
What create and roll print on their standard output is the token alone; it is shown this once.`;

const OPTIONS = {
  name: { type: 'string' },
  role: { type: 'string' },
  scopes: { type: 'string' },
  customer: { type: 'string' },
  expires: { type: 'string' },
  overlap: { type: 'string' },
} as const;

const PAGE_SIZE = 500;
const DURATION = /^([1-9]\d{0,4})([dhm])$/;
const SECONDS_OF: Record<string, number> = { d: 86_400, h: 3_600, m: 60 };

type Values = Partial<Record<keyof typeof OPTIONS, string>>;

/** What may be done, by its name: what it takes beside that, and the work. */
const COMMANDS: Record<
  string,
  { readonly takes: readonly string[]; readonly run: (command: Command) => Promise<void> }
> = {
  create: { takes: ['name', 'role', 'scopes', 'customer', 'expires'], run: create },
  list: { takes: [], run: list },
  roll: { takes: ['id', 'overlap'], run: roll },
  revoke: { takes: ['id'], run: revoke },
};

interface Command {
  readonly app: INestApplicationContext;
  readonly id: number;
  readonly values: Values;
  readonly caller: Caller;
}

/** Makes, shows, rolls and revokes keys; gives the exit status. @throws Error with a line for whatever is wrong with the arguments. */
export async function runKeys(config: Config, args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const { name, id, values } = parse(args);
  const caller: Caller = { ...ANYBODY, actor: commandActor() };
  return runCommand(config, KeysRootModule.forRoot(config), async (app) => {
    const work = async () => COMMANDS[name]?.run({ app, id, values, caller });
    await withRequest({ actor: caller.actor ?? undefined }, work);
    return 0;
  });
}

function parse(args: readonly string[]): { name: string; id: number; values: Values } {
  const { positionals, values } = valuesOf(args);
  const [name = '', id, ...rest] = positionals;
  const takes = COMMANDS[name]?.takes ?? refuse('Say what to do');
  const given = [...(id === undefined ? [] : ['id']), ...Object.keys(values)];
  const unknown = given.filter((each) => !takes.includes(each));
  if (unknown.length > 0 || rest.length > 0) refuse(`${name} takes no ${[...unknown, ...rest].join(', ')}`);
  if (takes.includes('id') && !/^[1-9]\d{0,14}$/.test(id ?? ''))
    refuse(`${name} takes the id of a key, as list shows it`);
  return { name, id: Number(id), values };
}

function valuesOf(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function refuse(reason: string): never {
  throw new Error(`${reason}\n\n${USAGE}`);
}

async function create({ app, values, caller }: Command): Promise<void> {
  const { name, role, scopes, customer, expires } = values;
  const fields = {
    name: name?.trim(),
    role,
    scopes: scopes?.split(',').map((scope) => scope.trim()),
    customer_ref: customer,
    expires_at: expiryOf(expires),
  };
  const dto = Object.assign(new CreateApiKeyDto(), fields);
  const problems = validateSync(dto).flatMap(({ constraints = {} }) => Object.values(constraints));
  if (problems.length > 0) refuse(problems.join('\n'));
  tell(await app.get(ApiKeysService).create(newApiKeyOf(dto), caller));
}

/** A moment so far from now. */
function expiryOf(duration: string | undefined): string | undefined {
  if (duration === undefined) return undefined;
  const [, count, unit = ''] = DURATION.exec(duration) ?? refuse('--expires must be a duration like 90d, 12h or 30m');
  return new Date(Date.now() + Number(count) * (SECONDS_OF[unit] ?? 0) * 1_000).toISOString();
}

async function list({ app }: Command): Promise<void> {
  const rows: string[][] = [['id', 'name', 'may', 'customer', 'made by', 'last used', 'state']];
  for (let before: number | undefined; ;) {
    const keys = await readPrepared<ApiKey & object>(app.get(DataSource), selectApiKeys({ before, limit: PAGE_SIZE }));
    rows.push(...keys.map(rowOf));
    before = keys.at(-1)?.id;
    if (keys.length < PAGE_SIZE) break;
  }
  process.stdout.write(rows.length === 1 ? 'There are no keys\n' : `${toTextTable(rows)}\n`);
}

function rowOf({ id, name, role, scopes, customerRef, createdBy, lastUsedAt, ...key }: ApiKey): string[] {
  const may = role ?? scopes.join(',');
  return [
    String(id),
    name,
    may,
    customerRef ?? '-',
    createdBy ?? '-',
    lastUsedAt?.toISOString() ?? 'never',
    stateOf(key),
  ];
}

function stateOf({ revokedAt, expiresAt }: Pick<ApiKey, 'revokedAt' | 'expiresAt'>): string {
  if (revokedAt !== null) return `revoked ${revokedAt.toISOString()}`;
  if (expiresAt === null) return 'good';
  return `${expiresAt.getTime() > Date.now() ? 'good until' : 'expired'} ${expiresAt.toISOString()}`;
}

async function roll({ app, id, values, caller }: Command): Promise<void> {
  const overlap = Number(values.overlap ?? 0);
  if (!/^\d{1,7}$/.test(values.overlap ?? '0') || overlap > MAX_OVERLAP_SECONDS) {
    refuse(`--overlap must be a whole number of seconds from 0 to ${MAX_OVERLAP_SECONDS}`);
  }
  tell(await app.get(ApiKeysService).roll(id, overlap, { caller, request: undefined }));
}

async function revoke({ app, id, caller }: Command): Promise<void> {
  await app.get(ApiKeysService).revoke(id, caller);
  process.stderr.write(`Key ${id} is revoked: within two seconds nobody comes in with it\n`);
}

function tell({ key: { id, name }, token }: IssuedApiKey): void {
  process.stderr.write(`The token of key ${id} ("${name}"), which is shown this once:\n`);
  process.stdout.write(`${token}\n`);
}
