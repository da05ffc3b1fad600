/** What a stranger reads first in Swagger UI and in ReDoc, in Markdown. */
export const INTRODUCTION = `Sells products from stock: it never oversells and loses nothing.

**Try it in this order.** Each step is a request below; the examples work as they are.

1. **Create a product** (\`POST /products\`) with a stock of a few units, and note its \`id\`.
2. **Buy it** (\`POST /orders\` with \`{"product_id": 1, "quantity": 2}\`). The response is the order, \`pending\`; its stock is taken and it is on disk.
3. **Watch it being processed** (\`GET /orders/{id}/status\`): after a few seconds it is \`completed\`. \`GET /orders/{id}/events\` has its whole history, and follows
   it live with \`Accept: text/event-stream\`.
4. **Buy more than there is**: 400 with \`INSUFFICIENT_STOCK\`, and nothing has changed.
5. **Send a purchase twice with one \`Idempotency-Key\`**: there is one order, and the second response is the first again.
6. **Hold stock for a checkout** (\`POST /reservations\`), then buy it (\`POST /orders\` with \`{"reservation_id": 1}\`) or release it.
7. **Cancel an order** that is not completed yet (\`POST /orders/{id}/cancel\`): its stock goes back. \`GET /products/{id}/stock-movements\` shows every unit.
8. **See what the shop does** (\`GET /ops/stats\`, \`GET /ops/workers\`, \`GET /health/ready\`).

**Good to know.** Every error is problem details (RFC 9457) with a stable \`code\` for programs and a \`detail\` for people. Every response has an
\`X-Request-Id\`; send your own to find a request in the logs. A 503 changed nothing and may be sent again after \`Retry-After\`; a POST with an
\`Idempotency-Key\` may always be sent again. Amounts have at most two decimals and are exact.`;
