import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { recordAction } from '../actions/action.js';
import { Config } from '../config/config.js';
import { IdempotencyService } from '../idempotency/idempotency.service.js';
import type { IdempotentRequest, Performed } from '../idempotency/idempotent-request.js';
import { ApplicationError } from '../kernel/application-error.js';
import type { Caller } from '../kernel/access/caller.js';
import { ForbiddenError } from '../kernel/access/forbidden.error.js';
import type { Scope } from '../kernel/access/scopes.js';
import { STORED_NOTHING } from '../kernel/stored-json.js';
import { type FlashSale, gatheringSale, isOver } from './flash-sale.js';

const PROGRAM = path.resolve(import.meta.dirname, '../main.js');
/** After the last answer: some orders are under way by then, and none of a usual call has ended. */
const KILL_AFTER_MS = 300;
export const NOT_ON =
  'The flash sale sells real products: "npm start" offers it on its own database, and DEMO=on switches it on elsewhere';
const NOT_SUPERVISED = 'Only under "npm start" is the worker killed: nothing else is known to start it again';

/** What the buyers do, beside starting. */
const NEEDED: readonly Scope[] = ['ops:manage', 'products:write', 'orders:create', 'orders:read'];

interface FlashSaleStart {
  readonly killsWorker: boolean;
  readonly caller: Caller;
  /** By which the buyers come in, who buy for whoever has started it. */
  readonly authorization: string | undefined;
}

/** A flash sale is under way. */
class FlashSaleRunningError extends ApplicationError {
  readonly kind = 'conflict';
  readonly code = 'FLASH_SALE_RUNNING';

  constructor() {
    super('A flash sale is under way; wait for its end');
  }
}

/** Holds flash sales for whoever wants to see one: the buyers are another process, and send real requests to this one. */
@Injectable()
export class FlashSaleService implements OnModuleDestroy {
  private sale: FlashSale | undefined;
  private buyers: ChildProcess | undefined;
  /** From the moment that it is decided on until its process has ended. */
  private isUnderWay = false;

  constructor(
    private readonly config: Config,
    private readonly host: HttpAdapterHost<FastifyAdapter>,
    private readonly idempotency: IdempotencyService,
  ) {}

  /** The last sale of this process; `undefined` when there was none. */
  get last(): FlashSale | undefined {
    return this.sale;
  }

  /** Whether a caller may start one: under `npm start` with a database of its own, or where an operator has switched it on. */
  isOfferedTo({ scopes }: Caller): boolean {
    return this.config.demo !== 'off' && NEEDED.every((scope) => scopes.has(scope));
  }

  /** Whether a supervisor kills the worker when it is asked to, and starts another one. */
  get canKillWorker(): boolean {
    return this.config.demo === 'supervised' && process.connected;
  }

  /**
   * Starts a sale; {@link last} tells how far it has come.
   *
   * @throws ForbiddenError where it is not offered, or the worker cannot be killed.
   * @throws FlashSaleRunningError
   */
  async start(
    { killsWorker, caller, authorization }: FlashSaleStart,
    request?: IdempotentRequest,
  ): Promise<Performed<undefined>> {
    const missing = NEEDED.filter((scope) => !caller.scopes.has(scope));
    if (this.config.demo === 'off') throw new ForbiddenError(NOT_ON);
    if (missing.length > 0) throw new ForbiddenError(`The buyers come in as you do, and need ${missing.join(', ')}`);
    if (killsWorker && !this.canKillWorker) throw new ForbiddenError(NOT_SUPERVISED);
    let isOurs = false;
    const starting = this.idempotency.run(request, STORED_NOTHING, async (manager) => {
      if (this.isUnderWay && !isOurs) throw new FlashSaleRunningError();
      this.isUnderWay = isOurs = true;
      await recordAction(manager, 'flash_sale.started', { kill_worker: killsWorker });
      return undefined;
    });
    const started = await starting.catch((error: unknown) => {
      if (isOurs) this.isUnderWay = false;
      throw error;
    });
    if (!started.isReplayed) this.hold(killsWorker, authorization);
    return started;
  }

  onModuleDestroy(): void {
    this.buyers?.kill('SIGKILL');
  }

  private hold(killsWorker: boolean, authorization: string | undefined): void {
    this.sale = gatheringSale();
    const options = ['--flash-sale', '--api', this.address()];
    const buyers = fork(PROGRAM, options, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.buyers = buyers;
    buyers.on('error', (error) => this.end(error.message));
    buyers.once('close', (code) => this.end(`status ${code}`));
    buyers.on('message', (told: FlashSale) => {
      const before = this.sale;
      this.sale = { ...told, workerKilledSeconds: before?.workerKilledSeconds ?? null };
      if (killsWorker && told.step === 'processing' && before?.step === 'selling') this.killWorkerSoon(told);
    });
    // By a message: arguments and variables of a process can be seen by others. One that was not even begun has no channel.
    if (buyers.connected) buyers.send({ authorization }, (error) => error !== null && this.end(error.message));
    else this.end('it could not be started');
  }

  private end(how: string): void {
    this.isUnderWay = false;
    if (this.sale === undefined || isOver(this.sale)) return;
    const error = `The process of the buyers has ended (${how}); the log of the API says why`;
    this.sale = { ...this.sale, step: 'failed', error };
  }

  private killWorkerSoon({ startedAt }: FlashSale): void {
    setTimeout(() => {
      if (this.sale?.startedAt !== startedAt) return;
      process.send?.({ kill: 'worker' });
      this.sale = { ...this.sale, workerKilledSeconds: (Date.now() - Date.parse(startedAt)) / 1_000 };
    }, KILL_AFTER_MS).unref();
  }

  /** Where this process listens, for another one on this machine. */
  private address(): string {
    const [address] = this.host.httpAdapter.getInstance<FastifyInstance>().addresses();
    if (address === undefined || typeof address === 'string') throw new Error('The API does not listen');
    const { port } = address;
    const { host } = this.config;
    if (host === '0.0.0.0' || host === '::') return `http://127.0.0.1:${port}`;
    return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  }
}
