import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { recordAction } from '../actions/action.js';
import { Config } from '../config/config.js';
import { queryWithin } from '../database/prepared-statement.js';
import { IdempotencyService } from '../idempotency/idempotency.service.js';
import type { IdempotentRequest } from '../idempotency/idempotent-request.js';
import { ApplicationError } from '../kernel/application-error.js';
import { ForbiddenError } from '../kernel/forbidden.error.js';
import { storedAsJson } from '../kernel/stored-json.js';
import { currentContext } from '../runtime/request-context.js';
import type { FlashSale } from './flash-sale.js';

const PROGRAM = path.resolve(import.meta.dirname, '../main.js');
/** Some orders are under way by then. */
const KILL_AFTER_MS = 1_000;
const NOT_ON =
  'The flash sale sells real products: only "npm start" on its own database offers it, and DEMO=on switches it on elsewhere';
const NOT_SUPERVISED = 'Only under "npm start" is the worker killed: nothing else is known to start it again';

/** A flash sale is under way. */
class FlashSaleRunningError extends ApplicationError {
  readonly kind = 'conflict';
  readonly code = 'FLASH_SALE_RUNNING';
}

const storedNothing = storedAsJson<undefined>({ write: () => ({}), read: () => undefined });

/** Holds flash sales for whoever wants to see one: the buyers are another process, and send real requests to this one. */
@Injectable()
export class FlashSaleService implements OnModuleDestroy {
  private sale: FlashSale | undefined;
  private buyers: ChildProcess | undefined;

  constructor(
    private readonly config: Config,
    private readonly host: HttpAdapterHost<FastifyAdapter>,
    private readonly idempotency: IdempotencyService,
  ) {}

  /** The last sale of this process; `undefined` when there was none. */
  get last(): FlashSale | undefined {
    return this.sale;
  }

  get isPossible(): boolean {
    return this.config.demo !== 'off';
  }

  /** Whether a supervisor kills the worker when it is asked to, and starts another one. */
  get canKillWorker(): boolean {
    return this.config.demo === 'supervised' && process.connected;
  }

  /**
   * Starts a sale, and returns when the first purchases are about to be sent.
   *
   * @throws ForbiddenError where nobody has switched it on, or the worker cannot be killed.
   * @throws FlashSaleRunningError
   */
  async start(killsWorker: boolean, request?: IdempotentRequest): Promise<FlashSale> {
    if (!this.isPossible) throw new ForbiddenError(NOT_ON);
    if (killsWorker && !this.canKillWorker) throw new ForbiddenError(NOT_SUPERVISED);
    const { isReplayed } = await this.idempotency.run(request, storedNothing, async (manager) => {
      if (this.buyers !== undefined) throw new FlashSaleRunningError('A flash sale is under way; wait for its end');
      const details = { kill_worker: killsWorker };
      await queryWithin(manager, recordAction('flash_sale.started', details, currentContext().requestId));
      return undefined;
    });
    if (isReplayed && this.sale !== undefined) return this.sale;
    return this.hold(killsWorker);
  }

  onModuleDestroy(): void {
    this.buyers?.kill('SIGKILL');
  }

  private async hold(killsWorker: boolean): Promise<FlashSale> {
    const options = ['--flash-sale', '--api', this.address()];
    const buyers = fork(PROGRAM, options, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.buyers = buyers;
    return new Promise((resolve, reject) => {
      buyers.on('message', (sale: FlashSale) => {
        const { workerKilledSeconds } = this.sale?.startedAt === sale.startedAt ? this.sale : sale;
        if (killsWorker && sale.step === 'processing' && this.sale?.step === 'selling') this.killWorkerSoon(sale);
        this.sale = { ...sale, workerKilledSeconds };
        resolve(this.sale);
      });
      buyers.once('close', (code) => {
        this.buyers = undefined;
        const error = `The process of the buyers has ended (status ${code}); its log says why`;
        if (this.sale !== undefined && !isOver(this.sale)) this.sale = { ...this.sale, step: 'failed', error };
        reject(new Error(error));
      });
    });
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

function isOver({ step }: FlashSale): boolean {
  return step === 'finished' || step === 'failed';
}
