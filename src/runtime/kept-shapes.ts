import { executionAsyncResource } from 'node:async_hooks';

const kept: object[] = [];

/**
 * Keeps one of the objects that `process.nextTick` makes. V8 forgets the shape of objects of which none is left when it tidies up. Where
 * that happens a few times while a process starts, `nextTick` is compiled for objects of any shape, and each of the ten calls that a
 * request costs takes half a microsecond for ever (docs/decisions/0005).
 */
export function keepShapes(): readonly object[] {
  process.nextTick(() => kept.push(executionAsyncResource()));
  return kept;
}
