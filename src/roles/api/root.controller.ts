import { Controller, Get } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { API_PREFIX } from '../../http/api-prefix.js';
import { NAME, VERSION } from '../../kernel/version.js';

/** Tells a client that lands on the root where to go. */
@ApiExcludeController()
@Controller()
export class RootController {
  @Get()
  get() {
    return { name: NAME, version: VERSION, docs: '/docs', redoc: '/redoc', health: `${API_PREFIX}/health` };
  }
}
