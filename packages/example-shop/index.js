// A plug-in for the order system: it has orders fulfilled by a provider over HTTP, and tells customers how their orders do.
// docs/extending.md explains it, and runs it against provider.js.
import { formatCents, PermanentFulfilmentError } from '../../dist/src/index.js';

const PROVIDER = process.env.SHOP_PROVIDER ?? 'http://127.0.0.1:4010';

/** Sends an order to the provider. The key makes it safe to send again: the provider knows what it has done for it. */
async function send(path, order, { key, signal }) {
  const response = await fetch(`${PROVIDER}${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
    body: JSON.stringify({
      order: order.id,
      total: formatCents(order.totalPrice),
      lines: order.items.map(({ productId, quantity }) => ({ product: productId, quantity })),
    }),
    signal,
  });
  // The provider has refused the order and done nothing: the order fails at once.
  if (response.status === 402) throw new PermanentFulfilmentError('the payment was refused');
  // Anything else is tried again, with growing waits.
  if (!response.ok) throw new Error(`the provider answered ${response.status}`);
}

const MESSAGES = {
  'order.completed': 'is on its way',
  'order.failed': 'could not be fulfilled; nothing was charged',
  'order.cancelled': 'was cancelled',
};

/** @type {import('../../dist/src/index.js').Plugin} */
export default {
  name: 'example-shop',
  fulfilment: {
    async fulfil(order, options) {
      await send('/fulfilments', order, options);
      return { outcome: 'done' };
    },
    // Called when the order has ended otherwise. Cancelling what was never begun, or twice, must do no harm.
    async cancel(order, options) {
      await send('/cancellations', order, options);
    },
  },
  subscribers: [
    {
      name: 'customer-mail',
      // At least once for each event: a mail that is sent twice is better than one that is not sent.
      handler({ type, orderId, sequence }) {
        const message = MESSAGES[type];
        if (message !== undefined) console.log(`mail ${orderId}-${sequence}: order ${orderId} ${message}`);
      },
    },
  ],
};
