import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsObject, ValidateNested } from 'class-validator';
import {
  DigitsToNumber,
  EmptyIsAbsent,
  IsId,
  IsIdList,
  IsIntegerBetween,
  IsMoment,
  OptionalField,
} from '../../../http/validation/validators.js';
import { PageResponse, toPage } from '../../../http/paging/page.response.js';
import type { DeadLetter } from '../dead-letters.service.js';
import type { DeadLetterFilter } from '../redrive.service.js';

const MAX_PAGE_SIZE = 100;
const MAX_IDS = 1_000;

export class ListDeadLettersQuery {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, description: '1 unless given' })
  @DigitsToNumber()
  @IsIntegerBetween(1, 1_000_000)
  readonly page: number = 1;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_PAGE_SIZE, description: '10 unless given' })
  @DigitsToNumber()
  @IsIntegerBetween(1, MAX_PAGE_SIZE)
  readonly page_size: number = 10;

  @ApiPropertyOptional({ type: 'integer', format: 'int64', description: 'Only the one of this order' })
  @EmptyIsAbsent()
  @DigitsToNumber()
  @IsId()
  readonly order_id?: number;

  @ApiPropertyOptional({ type: 'string', format: 'date-time', description: 'Only what failed before' })
  @EmptyIsAbsent()
  @IsMoment()
  readonly failed_to?: string;
}

@ApiSchema({ name: 'DeadLetter' })
export class DeadLetterResponse {
  @ApiProperty({ type: 'integer', format: 'int64', example: 7 })
  order_id: number;

  @ApiProperty({ example: 'order-7' })
  job_id: string;

  @ApiProperty({ example: 'job stalled more than allowable limit' })
  reason: string;

  @ApiProperty({
    type: 'integer',
    example: 0,
    description: 'Attempts that have failed; those that ended their worker are not among them',
  })
  attempts: number;

  @ApiProperty({ format: 'date-time', example: '2026-01-15T10:30:00.123Z' })
  failed_at: string;

  static of({ orderId, jobId, reason, attempts, failedAt }: DeadLetter): DeadLetterResponse {
    return { order_id: orderId, job_id: jobId, reason, attempts, failed_at: failedAt.toISOString() };
  }
}

@ApiSchema({ name: 'DeadLetterPage' })
export class DeadLetterPageResponse extends PageResponse<DeadLetterResponse> {
  @ApiProperty({ type: [DeadLetterResponse] })
  override items: DeadLetterResponse[];

  static of(
    letters: readonly DeadLetter[],
    { page, page_size: pageSize }: ListDeadLettersQuery,
  ): DeadLetterPageResponse {
    const items = letters.slice((page - 1) * pageSize, page * pageSize);
    return toPage({ items, total: letters.length, next: undefined }, { page, pageSize }, (letter) =>
      DeadLetterResponse.of(letter),
    );
  }
}

@ApiSchema({ name: 'DeadLetterFilter' })
class DeadLetterFilterDto {
  @ApiPropertyOptional({ type: 'array', items: { type: 'integer', format: 'int64' }, minItems: 1, maxItems: MAX_IDS })
  @OptionalField()
  @IsIdList(MAX_IDS)
  readonly order_ids?: number[];

  @ApiPropertyOptional({ type: 'string', format: 'date-time', description: 'Only what failed before' })
  @OptionalField()
  @IsMoment()
  readonly failed_to?: string;
}

export class RedriveDto {
  @ApiProperty({ type: DeadLetterFilterDto, description: 'Which dead letters; `{}` is all of them' })
  @IsObject({ message: 'filter must be an object; {} is all dead letters' })
  @ValidateNested()
  @Type(() => DeadLetterFilterDto)
  readonly filter: DeadLetterFilterDto;

  @ApiProperty({
    type: 'integer',
    minimum: 0,
    example: 3,
    description: 'How many you have seen: with more or fewer, nothing is done',
  })
  @IsIntegerBetween(0, 1_000_000)
  readonly expected_count: number;
}

@ApiSchema({ name: 'Redrive' })
export class RedriveResponse {
  @ApiProperty({ type: 'integer', example: 3, description: 'Orders that are tried again' })
  redriven: number;
}

/** What a query or a body names. */
export function filterOf({
  order_ids: orderIds,
  failed_to: failedTo,
}: {
  order_ids?: readonly number[] | undefined;
  failed_to?: string | undefined;
}): DeadLetterFilter {
  return { orderIds, failedTo: failedTo === undefined ? undefined : new Date(failedTo) };
}
