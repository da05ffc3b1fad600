/**
 * Loaded before a command (`node --import`): without a service in its environment, the command uses those that `npm start` has
 * brought up, as long as it runs. With one of them given, all are taken from the environment, so that two systems are never mixed.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { SERVICES } from './environment-file.ts';

const FILE = path.resolve(import.meta.dirname, '..', process.env.DATA_DIR || '.data', 'environment');
const names = [...SERVICES, 'DATABASE_ADMIN_URL'];
const isGiven = names.some((name) => process.env[name] || process.env[`${name}_FILE`]);

if (!isGiven && existsSync(FILE)) process.loadEnvFile(FILE);
