import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsString, MaxLength } from 'class-validator';
import { DigitsToNumber, EmptyIsAbsent, IsIntegerBetween } from '../../http/validation/validators.js';

const MAX_CURSOR_LENGTH = 200;
const MAX_LIMIT = 1_000;

export class ListEventsQuery {
  @ApiPropertyOptional({
    type: 'string',
    maxLength: MAX_CURSOR_LENGTH,
    description:
      'The place that an earlier answer gave as `next`, or the `id` of an event of the stream; from the beginning unless given',
  })
  @EmptyIsAbsent()
  @IsString({ message: 'after must be a cursor that GET /events has given' })
  @MaxLength(MAX_CURSOR_LENGTH, { message: 'after must be a cursor that GET /events has given' })
  readonly after?: string;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_LIMIT, description: '100 unless given' })
  @DigitsToNumber()
  @IsIntegerBetween(1, MAX_LIMIT)
  readonly limit: number = 100;
}
