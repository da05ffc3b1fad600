import { readFileSync } from 'node:fs';

interface Lock {
  readonly packages: Readonly<
    Record<string, { readonly link?: boolean; readonly integrity?: string; readonly inBundle?: boolean }>
  >;
}

/** What is installed is what was looked at when it was added: npm refuses a package whose digest is another. */
it('each package of the lock has its digest', () => {
  const { packages }: Lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'));
  // The project itself, and its workspaces, are not fetched; a bundled package comes with the digest of its bundle.
  const fetched = Object.entries(packages).filter(
    ([path, { link, inBundle }]) => path.includes('node_modules/') && link !== true && inBundle !== true,
  );
  const without = fetched.filter(([, { integrity = '' }]) => !/^sha512-[\w+/]{86}==$/.test(integrity));
  expect(fetched.length).toBeGreaterThan(500);
  expect(without.map(([path]) => path)).toEqual([]);
});
