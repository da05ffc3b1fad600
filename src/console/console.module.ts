import { Module } from '@nestjs/common';
import { DemoModule } from '../demo/demo.module.js';
import { ConsoleController } from './console.controller.js';

/** What the console asks that belongs to no other feature. Its pages are built from `apps/console`. */
@Module({ imports: [DemoModule], controllers: [ConsoleController] })
export class ConsoleModule {}
