import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { findAccount, findHome, openLog, passwordIn } from '../../tools/service-home.ts';
import { createTemporaryFolder } from '../../tools/temporary-folder.ts';

// Only root can hand a folder to another user; elsewhere the rule has nothing to act on.
const itAsRoot = process.getuid?.() === 0 ? it : it.skip;

describe('the folder of a service of npm start', () => {
  let directory: string;
  const modeOf = (name: string) => statSync(path.join(directory, name)).mode & 0o777;

  beforeEach(async () => {
    directory = await createTemporaryFolder('home');
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('has a log for its starter alone, and never follows a link to another file', () => {
    const log = path.join(directory, 'log');
    writeSync(openLog(log), 'first\n');
    writeSync(openLog(log), 'second\n');
    expect([readFileSync(log, 'utf8'), modeOf('log')]).toEqual(['first\nsecond\n', 0o600]);

    writeFileSync(path.join(directory, 'precious'), 'untouched');
    symlinkSync(path.join(directory, 'precious'), path.join(directory, 'link'));
    expect(() => openLog(path.join(directory, 'link'))).toThrow('ELOOP');
    symlinkSync(path.join(directory, 'nowhere'), path.join(directory, 'dangling'));
    expect(() => openLog(path.join(directory, 'dangling'))).toThrow('ELOOP');
    expect(readFileSync(path.join(directory, 'precious'), 'utf8')).toBe('untouched');
    expect(existsSync(path.join(directory, 'nowhere'))).toBe(false);
  });

  it('has a password that is made once, and neither read nor written through a link', () => {
    const file = path.join(directory, 'password');
    const password = passwordIn(file);
    expect(password.length).toBeGreaterThanOrEqual(24);
    expect([passwordIn(file), modeOf('password')]).toEqual([password, 0o600]);

    symlinkSync(file, path.join(directory, 'link'));
    expect(() => passwordIn(path.join(directory, 'link'))).toThrow('ELOOP');
    symlinkSync(path.join(directory, 'nowhere'), path.join(directory, 'dangling'));
    expect(() => passwordIn(path.join(directory, 'dangling'))).toThrow('EEXIST');
  });

  it('takes in what an earlier version has kept, and nobody else looks into it', async () => {
    mkdirSync(path.join(directory, 'data'));
    writeFileSync(path.join(directory, 'data', 'kept'), 'of before');
    const home = await findHome(directory, {}, ['data', 'none']);
    expect(home).toBe(path.join(directory, 'home'));
    expect(readFileSync(path.join(home, 'data', 'kept'), 'utf8')).toBe('of before');
    expect(existsSync(path.join(directory, 'data'))).toBe(false);
    expect([modeOf('.'), modeOf('home')]).toEqual([0o700, 0o700]);
    expect(await findHome(directory, {}, ['data'])).toBe(home);
  });

  itAsRoot(
    'is for root to write and for its user to pass, whose home lies elsewhere when it cannot get there',
    async () => {
      const account = await findAccount(['no such user', 'nobody']);
      mkdirSync(path.join(directory, 'service', 'data'), { recursive: true });
      writeFileSync(path.join(directory, 'service', 'data', 'kept'), 'of before');
      const reachable = await findHome(path.join(directory, 'service'), account, ['data']);
      expect(reachable).toBe(path.join(directory, 'service', 'home'));
      expect([modeOf('service'), statSync(path.join(directory, 'service')).uid]).toEqual([0o711, 0]);
      for (const name of ['', 'data', 'data/kept']) expect(statSync(path.join(reachable, name)).uid).toBe(account.uid);
      expect(modeOf('service/home')).toBe(0o700);

      // A link that the user of the service has left is not followed.
      mkdirSync(path.join(directory, 'planted'));
      symlinkSync('/etc', path.join(directory, 'planted', 'home'));
      await expect(findHome(path.join(directory, 'planted'), account, [])).rejects.toThrow('remove it');
      expect(statSync('/etc').uid).toBe(0);

      chmodSync(directory, 0o700);
      const hidden = await findHome(path.join(directory, 'hidden'), account, []);
      try {
        expect(path.dirname(hidden)).toBe('/var/lib/order-system');
        expect([statSync(hidden).uid, statSync(hidden).mode & 0o777]).toEqual([account.uid, 0o700]);
        expect(await findHome(path.join(directory, 'hidden'), account, [])).toBe(hidden);
      } finally {
        rmSync(hidden, { recursive: true, force: true });
      }
    },
  );
});
