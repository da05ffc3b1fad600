import { defineConfig } from 'vite';

const API = process.env.API_URL ?? 'http://127.0.0.1:8000';

export default defineConfig({
  root: import.meta.dirname,
  // Addresses are relative to the page, which is served below any path of a proxy.
  base: './',
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    // One script and one style: the policy of the page allows no other source, and nothing is put into the page itself.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
  // `npx vite apps/console` beside a running API, to work on the pages.
  server: { proxy: { '/api': API } },
});
