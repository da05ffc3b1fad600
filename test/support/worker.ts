import type { INestApplicationContext } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { createLogger } from '../../src/runtime/logger.js';
import type { Config } from '../../src/config/config.js';
import { FulfilmentGateway } from '../../src/orders/processing/fulfilment-gateway.js';
import { WorkerModule } from '../../src/roles/worker/worker.module.js';

/** Starts a worker in this process whose external call is `fulfil`. */
export async function startWorker(
  config: Config,
  fulfil: FulfilmentGateway['fulfil'] = () => Promise.resolve(),
): Promise<INestApplicationContext> {
  const module = await Test.createTestingModule({ imports: [WorkerModule.forRoot(config)] })
    .overrideProvider(FulfilmentGateway)
    .useValue({ fulfil })
    .setLogger(createLogger(config))
    .compile();
  return module.init();
}
