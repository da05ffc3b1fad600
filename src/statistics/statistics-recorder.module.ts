import { Module } from '@nestjs/common';
import { StatisticsRecorder } from './statistics-recorder.js';

/** Of every process that counts something: the API and the worker. */
@Module({ providers: [StatisticsRecorder] })
export class StatisticsRecorderModule {}
