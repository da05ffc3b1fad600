import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const AS_NODE_20 = `data:text/javascript,${encodeURIComponent(
  `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } })`,
)}`;

it.each(['', '--worker', '--dashboard', '--audit'])(
  'an older Node.js is refused at the start, before anything else: %s',
  (flag) => {
    const args = ['--import', AS_NODE_20, 'dist/src/main.js', ...(flag === '' ? [] : [flag])];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env: { PATH: process.env.PATH } });
    expect([status, stderr]).toEqual([2, expect.stringMatching(/^Node\.js 24 or newer is needed/)]);
  },
);

it('nothing but the check is linked before an older Node.js is refused', () => {
  const imports = readFileSync('dist/src/main.js', 'utf8').match(/^import .*$/gm);
  expect(imports).toEqual([`import './runtime/node-version.js';`]);
  expect(readFileSync('dist/src/runtime/node-version.js', 'utf8')).not.toMatch(/^import /m);
});
