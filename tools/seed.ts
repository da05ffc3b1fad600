import { credentials } from './credentials.ts';

/** `npm run seed [URL]`: offers a dozen products to a running API, once; with the key in `API_KEY`, where one is asked for. */
const PRODUCTS = [
  { name: 'Mechanical keyboard', price: 89.9, stock: 120 },
  { name: 'Wireless mouse', price: 34.5, stock: 300 },
  { name: '27-inch monitor', price: 279, stock: 45 },
  { name: 'USB-C dock', price: 129.99, stock: 60 },
  { name: 'Laptop stand', price: 42.25, stock: 150 },
  { name: 'Noise-cancelling headphones', price: 199.95, stock: 80 },
  { name: 'Webcam 1080p', price: 59, stock: 95 },
  { name: 'Desk lamp', price: 27.49, stock: 210 },
  { name: 'External SSD 1 TB', price: 94.99, stock: 130 },
  { name: 'HDMI cable 2 m', price: 8.99, stock: 1_000 },
  { name: 'Ergonomic chair', price: 349, stock: 25 },
  { name: 'Limited edition poster', price: 15, stock: 1 },
];

const api = `${process.argv[2] ?? `http://127.0.0.1:${process.env.PORT ?? 8000}`}/api/v1/products`;

try {
  let created = 0;
  for (const product of PRODUCTS) {
    if (await exists(product.name)) continue;
    await send(api, { method: 'POST', body: JSON.stringify(product) });
    created++;
  }
  console.log(`${created} products created, ${PRODUCTS.length - created} were there already. See ${api}`);
} catch (error) {
  console.error(
    `No products were offered to ${api}: ${error instanceof Error ? error.message : String(error)}. Is "npm start" running?`,
  );
  process.exitCode = 1;
}

async function exists(name: string): Promise<boolean> {
  const { items } = (await send(`${api}?search=${encodeURIComponent(name)}&page_size=100`)) as {
    items: { name: string }[];
  };
  return items.some((item) => item.name === name);
}

async function send(url: string, request?: RequestInit): Promise<unknown> {
  const headers = { 'Content-Type': 'application/json', ...credentials() };
  const response = await fetch(url, { ...request, headers });
  const body: unknown = await response.json();
  if (!response.ok) throw new Error(JSON.stringify(body));
  return body;
}
