import { Module } from '@nestjs/common';
import { ActionsController } from './actions.controller.js';

/** Who changed what, for the API. */
@Module({ controllers: [ActionsController] })
export class ActionsModule {}
