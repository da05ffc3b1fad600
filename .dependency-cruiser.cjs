/** One rule for each sentence of CONTRIBUTING.md, "Find your way", on who may import whom. */
const FEATURES =
  '(products|stock|reservations|orders|events|workers|audit|backup|health|statistics|actions|access|demo|console)';
const MECHANISMS = '(idempotency|database|cache|queue)';
const FOUNDATION = '(http|telemetry|runtime|config|kernel)';

/** What other features may import of a feature: its modules, what they export, and the types and errors of its domain. */
const DOORS = {
  products: ['products.module', 'product-cache.module', 'product-cache', 'product.entity'],
  stock: [
    'stock.module',
    'stock.service',
    'stock-changes',
    'stock-changes.module',
    'pipeline/stock-pipeline',
    'pipeline/stock-taker',
    'stock-ledger',
    'customers/customer-counts',
    'customers/customer-limit',
    'movements/stock-movement',
    'stock-rows',
    'pipeline/stock-request',
    'pipeline/tally',
    'requested-item',
    'priced-item',
    'stock.errors',
    'stock',
    'dto/requested-item.dto',
  ],
  reservations: [
    'reservations.module',
    'reservation.service',
    'reservation-rows',
    'reservation-writer',
    'reservation.errors',
    'reservation',
  ],
  orders: [
    'orders.module',
    'processing/order-processing.module',
    'order-reader.service',
    'cancellation/order-cancellation.service',
    'purchase/purchase.service',
    'history/order-event',
    'history/order-event-streams',
    'dto/order-event.response',
  ],
  events: ['subscriptions.module', 'events.module', 'subscriber', 'parked-events.service'],
  workers: ['workers.module', 'worker-registry.module', 'worker-registry'],
  audit: [
    'audit.module',
    'audit-runs.module',
    'audit.service',
    'audit-run',
    'audit-statement',
    'ledger-repair.service',
  ],
  backup: [],
  health: [],
  statistics: ['statistics.module', 'statistics-recorder.module'],
  actions: ['actions.module', 'action'],
  access: ['access.module', 'rate-limiter', 'token-authenticator'],
  demo: ['demo.module', 'flash-sale.service', 'flash-sale-program', 'patient-client'],
  console: ['console.module'],
};
const doors = Object.entries(DOORS).map(([feature, files]) => ({
  name: `door-of-${feature}`,
  comment: 'A feature uses what the module of another one exports, and nothing else.',
  severity: 'error',
  from: { path: `^src/${FEATURES}/`, pathNot: `^src/${feature}/` },
  to: { path: `^src/${feature}/`, pathNot: `^src/${feature}/(${files.join('|')})\\.ts$` },
}));

/** Features that a feature may build on; none may build on others. */
const BELOW = {
  products: ['stock', 'actions'],
  stock: ['actions'],
  reservations: ['stock'],
  orders: ['products', 'reservations', 'stock', 'workers', 'actions'],
  events: ['orders'],
  workers: [],
  audit: ['stock', 'actions'],
  backup: [],
  health: ['products'],
  statistics: [],
  actions: [],
  access: ['actions'],
  demo: ['actions'],
  console: ['demo'],
};
const order = Object.entries(BELOW).map(([feature, below]) => ({
  name: `what-${feature}-builds-on`,
  severity: 'error',
  from: { path: `^src/${feature}/` },
  to: { path: `^src/${FEATURES}/`, pathNot: `^src/(${[feature, ...below].join('|')})/` },
}));

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'A cycle hides which of two modules stands on the other. Types alone may point back.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'kernel-stands-alone',
      comment: 'No I/O and no framework: the kernel imports nothing but itself.',
      severity: 'error',
      from: { path: '^src/kernel/', pathNot: '\\.spec\\.ts$' },
      to: { pathNot: '^src/kernel/' },
    },
    {
      name: 'foundation-knows-no-mechanism',
      severity: 'error',
      from: { path: `^src/${FOUNDATION}/`, pathNot: '\\.spec\\.ts$' },
      to: { path: '^src/', pathNot: `^src/${FOUNDATION}/` },
    },
    {
      name: 'mechanisms-know-no-feature',
      severity: 'error',
      from: { path: `^src/${MECHANISMS}/` },
      to: { path: `^src/(${FEATURES}|roles)/` },
    },
    {
      name: 'features-know-no-role',
      severity: 'error',
      from: { path: `^src/${FEATURES}/` },
      to: { path: '^src/(roles/|[^/]+\\.ts$)' },
    },
    ...order,
    ...doors,
    {
      name: 'orders-use-of-products-the-entity',
      comment: 'For the row lock and the foreign key; the catalogue is read by its own clients.',
      severity: 'error',
      from: { path: '^src/orders/' },
      to: { path: '^src/products/', pathNot: '^src/products/(product\\.entity|products\\.module)\\.ts$' },
    },
    {
      name: 'http-is-for-controllers',
      comment: 'Services speak the domain: HTTP lives in controllers, their DTOs and documents.',
      severity: 'error',
      from: { path: `^src/${FEATURES}/`, pathNot: '\\.controller\\.ts$|/dto/|/product-document\\.ts$' },
      to: { path: '^src/http/|/dto/' },
    },
    {
      name: 'database-knows-no-http',
      severity: 'error',
      from: { path: '^src/(database|cache|queue|runtime|config)/' },
      to: { path: '^src/http/' },
    },
    {
      name: 'api-reaches-no-processor',
      comment: '@nestjs/bullmq starts a worker for every processor in reach.',
      severity: 'error',
      from: { path: '^src/roles/(api|dashboard)/' },
      to: { path: '\\.processor\\.ts$|-processing\\.module\\.ts$', reachable: true },
    },
    {
      name: 'worker-reaches-no-controller',
      comment: 'It serves no HTTP: what controllers import would be a fifth of its objects in memory.',
      severity: 'error',
      from: { path: '^src/roles/worker/' },
      to: { path: '\\.controller\\.ts$', reachable: true },
    },
    {
      name: 'no-barrel-files',
      comment: 'A file that exports others hides who uses what.',
      severity: 'error',
      from: { path: '^src/.+/index\\.ts$' },
      to: {},
    },
    {
      name: 'source-needs-no-development-package',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.spec\\.ts$' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'source-needs-no-tool',
      comment: 'What runs in production does not import tools or tests.',
      severity: 'error',
      from: { path: '^(src|migrations)/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^(test|tools)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
