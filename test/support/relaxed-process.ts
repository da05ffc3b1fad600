/** Loaded before the entry of a process (`node --import`): gives it the limits of the test that starts it. */
const LIMITS_OF_BUILD: string = '../../dist/src/config/limits.js';
const { LIMITS } = (await import(LIMITS_OF_BUILD)) as { LIMITS: object };
Object.assign(LIMITS, JSON.parse(process.env.TEST_LIMITS ?? '{}'));
