import { Controller, Get } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Access } from '../../http/access/access.decorator.js';
import { API_PREFIX } from '../../http/api-prefix.js';
import { Config } from '../../config/config.js';
import { publicPathOf } from '../../http/server/public-path.js';
import { NAME, VERSION } from '../../kernel/version.js';

/** Tells a client that lands on the root where to go. */
@ApiExcludeController()
@Controller()
export class RootController {
  private readonly root: string;

  constructor({ publicUrl }: Config) {
    this.root = publicPathOf(publicUrl);
  }

  @Get()
  @Access('caller')
  get() {
    const { root } = this;
    return {
      name: NAME,
      version: VERSION,
      docs: `${root}/docs`,
      redoc: `${root}/redoc`,
      health: `${root}${API_PREFIX}/health`,
    };
  }
}
