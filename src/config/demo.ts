import type { EnvironmentReader } from './environment-reader.js';

/** Whether flash sales may be held to see one: `supervised` when a parent process restarts the worker after killing it for the demo. */
export type Demo = 'off' | 'on' | 'supervised';

export function readDemo(reader: EnvironmentReader): Demo {
  return reader.oneOf('DEMO', ['off', 'on', 'supervised'], 'off');
}
