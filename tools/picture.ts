/** `npm run picture`, beside `npm start`: holds a flash sale in the console and draws the picture of the README, `docs/console.png`, from the real page. */
import path from 'node:path';
import { chromium } from 'playwright-core';
import { findProgram } from './programs.ts';

const PICTURE = path.resolve(import.meta.dirname, '../docs/console.png');
const SALE_TIMEOUT_MS = 120_000;
const SIZE = { width: 1240, height: 860 };

const url = process.env.API_URL ?? `http://127.0.0.1:${process.env.PORT || 8000}`;
const executablePath = findProgram('chromium') ?? findProgram('google-chrome');
if (executablePath === undefined) throw new Error('There is no chromium; on Debian: apt-get install chromium');

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  const page = await browser.newPage({ viewport: SIZE, colorScheme: 'light' });
  await page.goto(`${url}/console`);
  await page.getByRole('button', { name: 'Start the flash sale' }).click();
  await page.getByText('on their way').waitFor();
  await page.locator('.sale-result').waitFor({ timeout: SALE_TIMEOUT_MS });
  // The plots of the last hour are asked for every two seconds.
  await page.waitForTimeout(5_000);
  await page.screenshot({ path: PICTURE });
  console.log(`Drawn: ${path.relative(process.cwd(), PICTURE)}`);
} finally {
  await browser.close();
}
