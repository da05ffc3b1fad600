import './runtime/node-version.js';

// Not by an `import` above, whose modules would be linked before the check runs: an older Node.js misses names in them.
await import('./roles/run.js');
