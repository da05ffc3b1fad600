interface Addresses {
  readonly address: string;
  readonly dashboardAddress: string;
  /** Of the API, the worker and the dashboard; none when they are not wanted. */
  readonly metricsAddresses: readonly string[];
  readonly databaseUrlFile: string;
  /** `AUTH` as it was given. */
  readonly auth: string | undefined;
}

const FIRST_KEY = 'npm run keys -- create --name admin --role admin      (makes the first key; --help tells more)';
const OPEN = `No key is asked for (AUTH=required asks everybody):
  ${FIRST_KEY}
`;
const CLOSED = `A key is asked for:
  ${FIRST_KEY}
`;

/** What `npm start` says when all is up. Every line of it works when it is pasted, whatever the ports and the folder are. */
export function welcome({ address, dashboardAddress, metricsAddresses, databaseUrlFile, auth }: Addresses): string {
  const seed = address === 'http://127.0.0.1:8000' ? 'npm run seed' : `npm run seed -- ${address}`;
  const isLocal = /^http:\/\/(localhost|127\.|\[::1\])/.test(address);
  const access = auth === 'off' || (auth === undefined && isLocal) ? OPEN : CLOSED;
  return `
The order system is up. Open ${address} and start a flash sale.

  Console    ${address}
  API        ${address}/api/v1
  Swagger    ${address}/docs
  ReDoc      ${address}/redoc
  Dashboard  ${dashboardAddress}
${metricsAddresses.length > 0 ? `  Metrics    ${metricsAddresses.join(' ')}\n` : ''}  Database   psql "$(cat ${quoted(databaseUrlFile)})"

${access}
Try it:
  curl -X POST ${address}/api/v1/products -H 'Content-Type: application/json' \\
    -d '{"name": "Mechanical keyboard", "price": 89.9, "stock": 10}'
  ${seed}      (a dozen products, from another terminal)
  npm run demo      (the flash sale in the terminal; with -- --kill-worker a worker dies in the middle)

Ctrl-C ends it all.
`;
}

/** A path as a shell takes it. */
function quoted(file: string): string {
  return /^[\w./-]+$/.test(file) ? file : `'${file.replaceAll("'", String.raw`'\''`)}'`;
}
