import { signal } from '@preact/signals';

const dark = matchMedia('(prefers-color-scheme: dark)');

/** What the user's system asks for. Only what is drawn on a canvas needs to know. */
export const scheme = signal(dark.matches ? 'dark' : 'light');

dark.addEventListener('change', () => {
  scheme.value = dark.matches ? 'dark' : 'light';
});
