import 'reflect-metadata';
import { RELAXED, setLimits } from './limits.js';

// A test that is not about a limit must not fail by it; one that is says so (`useLimits`).
setLimits(RELAXED);
