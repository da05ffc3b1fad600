import { type DynamicModule, Global, Module } from '@nestjs/common';
import { Config } from './config.js';

/** Gives every module the one parsed configuration of the process, under the token `Config`. */
@Global()
@Module({})
export class ConfigModule {
  static forRoot(config: Config): DynamicModule {
    return { module: ConfigModule, providers: [{ provide: Config, useValue: config }], exports: [Config] };
  }
}
