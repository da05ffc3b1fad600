import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { createLogger } from '../../src/runtime/logger.js';
import type { Config } from '../../src/config/config.js';
import { FulfilmentGateway, type FulfilmentOptions } from '../../src/orders/processing/fulfilment-gateway.js';
import { WorkerModule } from '../../src/roles/worker/worker.module.js';

/** The external call of a worker, of an order that it knows by its id. */
export type Fulfil = (orderId: number, options: FulfilmentOptions) => Promise<void>;

/** Starts a worker in this process whose external call is `fulfil`. */
export async function startWorker(
  config: Config,
  fulfil: Fulfil = () => Promise.resolve(),
  cancel: FulfilmentGateway['cancel'] = () => Promise.resolve(),
): Promise<INestApplicationContext> {
  const module = await Test.createTestingModule({ imports: [WorkerModule.forRoot(config)] })
    .overrideProvider(FulfilmentGateway)
    .useValue({
      fulfil: async (order, options) => {
        await fulfil(order.id, options);
        return { outcome: 'done' };
      },
      cancel,
    } satisfies FulfilmentGateway)
    .setLogger(createLogger(config, 'worker'))
    .compile();
  return module.init();
}
