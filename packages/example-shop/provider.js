// A provider to try the plug-in with: it refuses orders above 1000, and prints what it does.
import { createServer } from 'node:http';

const done = new Set();

createServer(async (request, response) => {
  const { order, total } = JSON.parse(Buffer.concat(await request.toArray()).toString());
  const key = request.headers['idempotency-key'];
  if (request.url === '/cancellations') {
    console.log(done.delete(key) ? `order ${order}: cancelled` : `order ${order}: nothing to cancel`);
  } else if (Number(total) > 1_000) {
    response.statusCode = 402;
  } else if (!done.has(key)) {
    done.add(key);
    console.log(`order ${order}: fulfilled for ${total}`);
  }
  response.end();
}).listen(Number(process.env.PORT ?? 4010), '127.0.0.1', () => console.log('the provider is up'));
