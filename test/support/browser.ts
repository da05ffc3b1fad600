import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { canInstall, findProgram, installFromDebian } from '../../tools/programs.ts';

/** Screenshots of a run are kept here, and are artefacts of CI. */
const SCREENSHOTS = path.resolve(import.meta.dirname, '../../coverage/screenshots');
const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** Whether there is a browser, or one can be installed without asking. */
export const hasBrowser = NAMES.some((name) => findProgram(name) !== undefined) || canInstall();

export async function launchBrowser(): Promise<Browser> {
  const [found] = NAMES.flatMap((name) => findProgram(name) ?? []);
  const executablePath = found ?? (await installFromDebian('chromium', 'chromium'));
  if (executablePath === undefined) throw new Error('Debian has no chromium to install');
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
}

/** How somebody looks at a page. */
export interface Look {
  readonly scheme: 'light' | 'dark';
  readonly width: number;
  /** The key that somebody gives when the browser asks for one. */
  readonly key?: string;
}

/** A page that remembers what it must never do. */
export interface WatchedPage {
  readonly page: Page;
  /** Errors of scripts and of the console, requests to other hosts, and violations of the policy. */
  readonly faults: string[];
  /** Requests to the API since the beginning, as `GET /ops/stats`. */
  readonly requests: string[];
  readonly close: () => Promise<void>;
}

export async function openPage(browser: Browser, url: string, { scheme, width, key }: Look): Promise<WatchedPage> {
  const httpCredentials = key === undefined ? {} : { httpCredentials: { username: 'me', password: key } };
  const context = await browser.newContext({
    colorScheme: scheme,
    viewport: { width, height: 900 },
    ...httpCredentials,
  });
  const page = await context.newPage();
  const faults: string[] = [];
  const requests: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text());
  });
  page.on('request', (request) => {
    const target = new URL(request.url());
    if (target.protocol === 'http:' && target.host !== new URL(url).host) faults.push(`asked ${request.url()}`);
    const [, asked] = /\/api\/v1(\/.*)$/.exec(target.pathname) ?? [];
    if (asked !== undefined) requests.push(`${request.method()} ${asked}`);
  });
  await page.addInitScript(
    `document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      console.error('policy violated: ' + violatedDirective + ' ' + blockedURI))`,
  );
  await page.goto(url);
  return { page, faults, requests, close: () => context.close() };
}

/** What axe finds on a page, by rule and element. The policy of the page lets no script of others in but by the debugger. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const violations: Violation[] = await page.evaluate('axe.run().then(({ violations }) => violations)');
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  );
}

/** Of axe, as far as it is told. */
interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** Whether a page is wider than the window, so that it scrolls to the side. */
export async function isTooWide(page: Page): Promise<boolean> {
  return page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth');
}

export async function keepScreenshot(page: Page, name: string): Promise<void> {
  await mkdir(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`), fullPage: true });
}
