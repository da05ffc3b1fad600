import { statSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DynamicModule, Type } from '@nestjs/common';
import type { Config } from '../config/config.js';
import type { Subscriber } from '../events/subscriber.js';
import type { FulfilmentGateway } from '../orders/processing/fulfilment-gateway.js';

/** A module of NestJS. */
export type ModuleImport = Type | DynamicModule;

/** A gateway, or a function that makes it. */
export type GatewaySource = FulfilmentGateway | ((config: Config) => FulfilmentGateway | Promise<FulfilmentGateway>);

/** What the default export of a plug-in is. */
export interface Plugin {
  /** Shown in error messages. */
  readonly name: string;
  /** Modules that the API or the worker takes in. */
  readonly imports?: { readonly api?: readonly ModuleImport[]; readonly worker?: readonly ModuleImport[] };
  /** Fulfils orders. One plug-in at most may give it. */
  readonly fulfilment?: GatewaySource;
  readonly subscribers?: readonly Subscriber[];
}

/** What all plug-ins of a process give together. */
export interface Plugins {
  readonly api: readonly ModuleImport[];
  readonly worker: readonly ModuleImport[];
  readonly fulfilment: GatewaySource | undefined;
  readonly subscribers: readonly Subscriber[];
}

/**
 * Loads the plug-ins of the configuration: paths from the working directory, or names of packages.
 *
 * @throws Error with all problems at once, a line each: a plug-in that cannot be loaded or is none, two gateways, two subscribers of
 * one name.
 */
export async function loadPlugins(config: Config): Promise<Plugins> {
  const problems: string[] = [];
  const plugins: Plugin[] = [];
  for (const specifier of config.plugins) {
    try {
      plugins.push(await loadPlugin(specifier));
    } catch (error) {
      problems.push(`${specifier}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const subscribers = plugins.flatMap((plugin) => plugin.subscribers ?? []);
  const gateways = plugins.filter(({ fulfilment }) => fulfilment !== undefined);
  if (gateways.length > 1)
    problems.push(`two gateways: ${gateways.map(({ name }) => name).join(', ')}; one is possible`);
  for (const [name, same] of Map.groupBy(subscribers, (subscriber) => subscriber.name)) {
    if (same.length > 1) problems.push(`two subscribers have the name ${name}; it must be unique`);
  }
  if (problems.length > 0) throw new Error(['The plug-ins are not usable:', ...problems].join('\n  - '));
  return {
    api: plugins.flatMap(({ imports }) => imports?.api ?? []),
    worker: plugins.flatMap(({ imports }) => imports?.worker ?? []),
    fulfilment: gateways[0]?.fulfilment,
    subscribers,
  };
}

/**
 * The gateway of a plug-in.
 *
 * @throws Error when what its function gives is none: no order may be taken for fulfilled by accident.
 */
export async function gatewayOf(source: GatewaySource, config: Config): Promise<FulfilmentGateway> {
  const gateway = typeof source === 'function' ? await source(config) : source;
  if (!isGateway(gateway))
    throw new Error('The fulfilment of the plug-in must give an object with the methods fulfil and cancel');
  return gateway;
}

async function loadPlugin(specifier: string): Promise<Plugin> {
  const file = path.resolve(specifier);
  const isFile = statSync(file, { throwIfNoEntry: false })?.isFile() === true;
  const module: unknown = await import(isFile ? pathToFileURL(file).href : specifier);
  const plugin: unknown =
    typeof module === 'object' && module !== null && 'default' in module ? module.default : undefined;
  if (!isPlugin(plugin)) {
    throw new Error('its default export must be { name, imports?, fulfilment?, subscribers? }; see docs/extending.md');
  }
  return plugin;
}

function isPlugin(value: unknown): value is Plugin {
  if (!hasText(value, 'name')) return false;
  const {
    imports,
    fulfilment,
    subscribers = [],
  }: { imports?: unknown; fulfilment?: unknown; subscribers?: unknown } = value;
  return (
    (imports === undefined || areImports(imports)) &&
    (fulfilment === undefined || typeof fulfilment === 'function' || isGateway(fulfilment)) &&
    Array.isArray(subscribers) &&
    subscribers.every(isSubscriber)
  );
}

function areImports(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).every(([role, modules]) => ['api', 'worker'].includes(role) && Array.isArray(modules));
}

function isGateway(value: unknown): value is FulfilmentGateway {
  return hasMethods(value, ['fulfil', 'cancel']);
}

function isSubscriber(value: unknown): value is Subscriber {
  if (!hasText(value, 'name') || !hasMethods(value, ['handler'])) return false;
  const from: unknown = Reflect.get(value, 'from');
  return from === undefined || from === 'beginning';
}

function hasText(value: unknown, name: string): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const text: unknown = Reflect.get(value, name);
  return typeof text === 'string' && text !== '';
}

function hasMethods(value: unknown, names: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return names.every((name) => typeof Reflect.get(value, name) === 'function');
}
