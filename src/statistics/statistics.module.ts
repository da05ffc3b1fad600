import { Module } from '@nestjs/common';
import { StatisticsRecorderModule } from './statistics-recorder.module.js';
import { StatisticsController } from './statistics.controller.js';
import { StatisticsService } from './statistics.service.js';

/** What the shop did, for the API. */
@Module({ imports: [StatisticsRecorderModule], controllers: [StatisticsController], providers: [StatisticsService] })
export class StatisticsModule {}
