/** The one way of imports: roots → features → queue, cache, database → config, common. */
const FEATURES = '^src/(products|orders|health|audit|backup)/';
const INFRASTRUCTURE = '^src/(queue|cache|database|idempotency)/';

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
      name: 'foundation-stands-alone',
      comment: 'config and common know nothing of what is built on them.',
      severity: 'error',
      from: { path: '^src/(config|common)/' },
      to: { path: '^src/', pathNot: '^src/(config|common)/' },
    },
    {
      name: 'common-knows-no-business',
      severity: 'error',
      from: { path: '^src/common/' },
      to: { path: '^src/', pathNot: '^src/(common|config/(config|limits))' },
    },
    {
      name: 'infrastructure-knows-no-feature',
      severity: 'error',
      from: { path: INFRASTRUCTURE },
      to: { path: `${FEATURES}|^src/[^/]+\\.ts$` },
    },
    {
      name: 'features-know-no-root',
      severity: 'error',
      from: { path: FEATURES },
      to: { path: '^src/[^/]+\\.ts$' },
    },
    {
      name: 'products-know-no-orders',
      severity: 'error',
      from: { path: '^src/products/' },
      to: { path: '^src/(orders|health)/' },
    },
    {
      name: 'orders-know-no-health',
      severity: 'error',
      from: { path: '^src/orders/' },
      to: { path: '^src/health/' },
    },
    {
      name: 'api-reaches-no-processor',
      comment: '@nestjs/bullmq starts a worker for every processor in reach.',
      severity: 'error',
      from: { path: '^src/(api\\.module|dashboard\\.module)\\.ts$' },
      to: { path: '\\.processor\\.ts$|-processing\\.module\\.ts$', reachable: true },
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
