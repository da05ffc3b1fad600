/** What a crowd costs that asks again as soon as it is answered, also where more ask than may wait. */
import { setTimeout as delay } from 'node:timers/promises';
import { pairedRatio } from './interval.ts';
import { load } from './load.ts';
import { median } from './median.ts';
import { purchases, Shop } from './shop.ts';
import { type Stage, startApi } from './stage.ts';

const FEW = 1_000;
const CROWDS = [2_500, 4_000, 8_000];
const ROUNDS = 4;
const SECONDS = 6;
const WARM_UP_SECONDS = 6;
const VARIABLES = { AUTH: 'off', MAX_CONNECTIONS: '20000', LOG_LEVEL: 'error' };
/** Until connections of the last turn are gone. */
const SETTLE_MS = 1_500;

/** Purchases of one product a second, by crowds in turns with a thousand clients. */
export async function measureCrowds(stage: Stage, say: (line: string) => void): Promise<void> {
  const api = await startApi(stage, VARIABLES);
  const shop = new Shop(stage.sql);
  const sales = async (connections: number, seconds: number) => {
    await shop.open(1);
    const measured = await load({ url: api.url, requests: purchases(1), connections, seconds });
    await shop.check(measured, connections);
    await delay(SETTLE_MS);
    const { requests, refused, p99, broken } = measured;
    const rate = (requests - refused) / seconds;
    const others = `${refused} refused, ${broken} not answered`;
    say(`${connections} clients: ${Math.round(rate)} sold a second, ${others}, p99 ${Math.round(p99)} ms`);
    return rate;
  };
  await sales(FEW, WARM_UP_SECONDS);
  const rates = new Map<number, number[]>([FEW, ...CROWDS].map((clients) => [clients, []]));
  for (let round = 1; round <= ROUNDS; round++) {
    // The tables and the machine change meanwhile, so each comes first in half of the rounds.
    const turns = round % 2 === 1 ? [...rates] : [...rates].reverse();
    for (const [clients, ofClients] of turns) ofClients.push(await sales(clients, SECONDS));
  }
  await api.stop();
  const few = rates.get(FEW) ?? [];
  for (const clients of CROWDS) {
    const crowd = rates.get(clients) ?? [];
    const { estimate, low, high } = pairedRatio(crowd, few);
    const sold = [crowd, few].map((each) => `${median(each).toFixed(0)}/s`).join(' and ');
    say(`${clients} clients and ${FEW}: ${sold}, ${estimate.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`);
  }
}
