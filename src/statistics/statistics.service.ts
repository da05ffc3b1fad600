import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { READS } from '../database/data-source-options.js';
import { readPrepared } from '../database/prepared-statement.js';
import { ListReads } from '../database/lists/list-reads.js';
import { selectSteps, type Step } from './minute-statistics.js';

/** What the shop did, from the records of all processes. */
@Injectable()
export class StatisticsService {
  constructor(
    @InjectDataSource(READS) private readonly reads: DataSource,
    private readonly lists: ListReads,
  ) {}

  /** The steps of so many seconds each from one moment to another; those in which nothing was recorded are left out. */
  async steps(range: { from: Date; to: Date; step: number }): Promise<Step[]> {
    return this.lists.run(async () => readPrepared<Step & object>(this.reads, selectSteps(range)));
  }
}
