import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { createTemporaryFolder } from '../../tools/temporary-folder.ts';
import { freePort, isAlive, isPortFree } from '../../tools/processes.ts';
import { createClient } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { BASE_ENVIRONMENT } from '../support/base-environment.js';

const execute = promisify(execFile);
const TIMEOUT_MS = 90_000;
const STOP_DEADLINE_MS = 10_000;

describe('npm start', () => {
  let data: string;
  let ports: [number, number];
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    data = path.join(await createTemporaryFolder('start'), 'with a space');
    ports = [await freePort(), await freePort()];
  });

  afterAll(async () => {
    for (const { pid } of recorded()) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    await rm(path.dirname(data), { recursive: true, force: true });
  });

  const start = (variables: Record<string, string> = {}) => {
    const child = spawn(process.execPath, ['tools/start.ts'], {
      env: {
        ...BASE_ENVIRONMENT,
        DATA_DIR: data,
        PORT: String(ports[0]),
        DASHBOARD_PORT: String(ports[1]),
        ...variables,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const ended = new Promise<number | string | null>((resolve) =>
      child.once('close', (code, signal) => resolve(code ?? signal)),
    );
    return {
      child,
      ended,
      output: () => output,
      untilSaid: (text: string) => eventually(() => expect(output).toContain(text), 60_000),
    };
  };
  const recorded = (): { name: string; pid: number }[] => {
    const file = path.join(data, 'run.json');
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
  };
  const api = () => createClient(`http://127.0.0.1:${ports[0]}`);
  const expectNothingLeft = async (pids: readonly number[]) => {
    expect(pids.filter(isAlive)).toEqual([]);
    for (const port of ports) expect(await isPortFree(port, '127.0.0.1')).toBe(true);
    expect(existsSync(path.join(data, 'run.json'))).toBe(false);
  };

  it(
    'ends all of it within ten seconds when it is stopped, whenever that is',
    async () => {
      for (const step of ['', '✓', '✓ PostgreSQL is up', 'The order system is up']) {
        const run = start();
        await run.untilSaid(step);
        await eventually(() => expect(recorded()).not.toHaveLength(0));
        const pids = recorded().map(({ pid }) => pid);
        expect(pids).toContain(run.child.pid);
        const before = performance.now();
        run.child.kill('SIGTERM');
        expect(await run.ended).toBe(0);
        expect(performance.now() - before).toBeLessThan(STOP_DEADLINE_MS);
        await expectNothingLeft(pids);
      }
    },
    TIMEOUT_MS,
  );

  it(
    'keeps the data, refuses a second run, and recovers from a kill -9 of itself',
    async () => {
      const first = start();
      await first.untilSaid('The order system is up');
      expect(first.output()).not.toContain(readFileSync(path.join(data, 'postgres/password'), 'utf8'));
      const id = await api().createProduct({ name: 'Kept' });
      await expectNothingOpen(first.output());

      const second = start();
      expect(await second.ended).toBe(1);
      expect(second.output()).toContain(`It is running already (process ${first.child.pid})`);
      expect(recorded()).toHaveLength(6);

      const left = recorded().map(({ pid }) => pid);
      first.child.kill('SIGKILL');
      await first.ended;
      const third = start();
      await third.untilSaid('The order system is up');
      expect(third.output()).toContain('ended what an earlier run left behind');
      expect(left.filter(isAlive)).toEqual([]);
      expect((await api().get(`/products/${id}`)).body.name).toBe('Kept');

      const pids = recorded().map(({ pid }) => pid);
      third.child.kill('SIGINT');
      expect(await third.ended).toBe(0);
      await expectNothingLeft(pids);
    },
    TIMEOUT_MS,
  );

  /** Nothing that another user of this machine could read, follow or log in with. */
  const expectNothingOpen = async (output: string) => {
    const file = (name: string) => path.join(data, name);
    for (const name of [
      'postgres/password',
      'redis/password',
      'environment',
      'database-url',
      'redis/redis.log',
      'postgres/postgres.log',
    ])
      expect([name, statSync(file(name)).mode & 0o777]).toEqual([name, 0o600]);
    for (const name of ['postgres/home', 'postgres/home/data', 'redis/home'])
      expect([name, statSync(file(name)).mode & 0o077]).toEqual([name, 0]);
    for (const name of ['.', 'postgres', 'redis']) expect([name, statSync(file(name)).mode & 0o066]).toEqual([name, 0]);

    const password = readFileSync(file('redis/password'), 'utf8');
    const environment = Object.fromEntries(
      readFileSync(file('environment'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => [line.split('=')[0], line.slice(line.indexOf("'") + 1, -1)]),
    );
    expect(output).not.toContain(password);
    const { port } = new URL(environment.REDIS_URL ?? '');
    const stranger = new Redis(Number(port), '127.0.0.1', { retryStrategy: () => null });
    stranger.on('error', () => undefined);
    await expect(stranger.get('any')).rejects.toThrow('NOAUTH');
    stranger.disconnect();

    for (const { name, pid } of recorded().filter((each) => ['PostgreSQL', 'Redis'].includes(each.name))) {
      expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).not.toContain(password);
      const [, uid] = /^Uid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
      if (process.getuid?.() === 0) expect([name, uid === '0']).toEqual([name, false]);
    }
    // The processes of the system know the application's password, and no other one of PostgreSQL.
    const owner = new URL(environment.DATABASE_OWNER_URL ?? '').password;
    for (const { name, pid } of recorded().filter((each) => ['api', 'worker', 'dashboard'].includes(each.name))) {
      const variables = readFileSync(`/proc/${pid}/environ`, 'utf8');
      expect([name, variables.includes(owner)]).toEqual([name, false]);
      expect([name, variables.includes(readFileSync(file('postgres/password'), 'utf8'))]).toEqual([name, false]);
    }
  };

  it(
    'says which port is taken and how to choose another',
    async () => {
      const { createServer } = await import('node:net');
      const server = createServer().listen(ports[0], '127.0.0.1');
      const run = start();
      expect(await run.ended).toBe(1);
      expect(run.output()).toContain(`Port ${ports[0]} is taken by another program.`);
      expect(run.output()).toContain(`PORT=${ports[0] + 1} npm start`);
      await new Promise((resolve) => server.close(resolve));
    },
    TIMEOUT_MS,
  );

  it(
    'tells everything that is wrong with the variables before it brings anything up',
    async () => {
      const run = start({ PORT: 'abc', DASHBOARD_PORT: '99999', CACHE_TTL: '0' });
      expect(await run.ended).toBe(1);
      for (const variable of ['PORT', 'DASHBOARD_PORT', 'CACHE_TTL'])
        expect(run.output()).toMatch(`- ${variable} must be`);
      expect(run.output()).not.toContain('is up');
    },
    TIMEOUT_MS,
  );

  it(
    'prints lines that can be pasted, and starts a role again that dies or is frozen',
    async () => {
      const run = start();
      await run.untilSaid('Ctrl-C ends it all');
      const [, seed = ''] = /^ {2}(npm run seed.*?) {2}/m.exec(run.output()) ?? [];
      const [, psql = ''] = /Database {3}psql (".*")$/m.exec(run.output()) ?? [];
      const shell = (line: string, env = {}) =>
        execute('bash', ['-c', line], { env: { ...BASE_ENVIRONMENT, DATA_DIR: data, ...env } });
      expect((await shell(seed)).stdout).toMatch(/\d+ products created/);
      expect((await shell(`printf %s ${psql}`)).stdout).toMatch(/^postgres:/);
      expect((await shell('npm run --silent dead-letters')).stdout).toBe('There are no dead letters\n');

      const pidOf = (name: string) => recorded().findLast((each) => each.name === name)?.pid ?? 0;
      const killed = pidOf('worker');
      const frozen = pidOf('dashboard');
      process.kill(killed, 'SIGKILL');
      process.kill(frozen, 'SIGSTOP');
      await run.untilSaid('The worker ended by itself (SIGKILL); it is started again');
      await run.untilSaid('The dashboard has been stopped for 30 s and is replaced');
      await eventually(async () => {
        expect((await fetch(`http://127.0.0.1:${ports[1]}/health`)).status).toBe(200);
        expect([pidOf('worker'), pidOf('dashboard')].filter(isAlive)).toHaveLength(2);
      }, 20_000);
      expect([pidOf('worker') === killed, pidOf('dashboard') === frozen]).toEqual([false, false]);
      run.child.kill('SIGINT');
      expect(await run.ended).toBe(0);
    },
    TIMEOUT_MS,
  );
});
