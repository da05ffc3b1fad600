/**
 * One client that sends its next request when the last is answered: `node bench/lone-client.ts URL SECONDS BODY [KEY]`. wrk is no measure of
 * such a client's tail: for each slow answer it adds the requests that would have been sent meanwhile at a steady pace
 * ("coordinated omission"), the more of them the faster the server is otherwise.
 */
import { Agent, request } from 'node:http';

const [url = '', seconds = '0', body = '', key = ''] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const latencies: number[] = [];
let refused = 0;

const startedAt = performance.now();
const endsAt = startedAt + Number(seconds) * 1_000;
for (let sentAt = startedAt; sentAt < endsAt; sentAt = performance.now()) {
  if ((await send()) >= 400) refused++;
  latencies.push(performance.now() - sentAt);
}
const took = (performance.now() - startedAt) / 1_000;
latencies.sort((a, b) => a - b);
const percentile = (share: number) => latencies[Math.floor(latencies.length * share)];
console.log(
  JSON.stringify({
    requests: latencies.length,
    seconds: took,
    p50: percentile(0.5),
    p99: percentile(0.99),
    refused,
    broken: 0,
  }),
);
process.exit();

async function send(): Promise<number> {
  return new Promise((resolve, reject) => {
    const credentials = key === '' ? {} : { Authorization: `Bearer ${key}` };
    const headers = { ...credentials, 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
    });
    sent.once('error', reject);
    sent.end(body);
  });
}
