import { ApiPropertyOptional } from '@nestjs/swagger';
import { type FieldError, ValidationError } from '../../kernel/validation-error.js';
import { DigitsToNumber, EmptyIsAbsent, IsIntegerBetween, IsMoment } from '../../http/validation/validators.js';

const DAY_SECONDS = 86_400;
const MINUTE_SECONDS = 60;
const DEFAULT_RANGE_MS = 3_600_000;
const MAX_STEPS = 1_500;

export class ListStatisticsQuery {
  @ApiPropertyOptional({
    type: 'string',
    format: 'date-time',
    description: 'The beginning; an hour before `to` unless given',
  })
  @EmptyIsAbsent()
  @IsMoment()
  readonly from?: string;

  @ApiPropertyOptional({ type: 'string', format: 'date-time', description: 'The end; now unless given' })
  @EmptyIsAbsent()
  @IsMoment()
  readonly to?: string;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: MINUTE_SECONDS,
    maximum: DAY_SECONDS,
    description: 'Seconds of a step, in whole minutes; 60 unless given',
  })
  @DigitsToNumber()
  @IsIntegerBetween(MINUTE_SECONDS, DAY_SECONDS)
  readonly step: number = MINUTE_SECONDS;
}

export interface StatisticsRange {
  readonly from: Date;
  readonly to: Date;
  /** In seconds. */
  readonly step: number;
}

/**
 * The range that a query asks for; it begins with a whole step, so that steps stay the same from one query to the next.
 *
 * @throws ValidationError when it is no range, has more than {@link MAX_STEPS} steps, or steps that are no whole minutes.
 */
export function rangeOf({ from, to, step }: ListStatisticsQuery, now: Date): StatisticsRange {
  const end = to === undefined ? now : new Date(to);
  const begin = from === undefined ? end.getTime() - DEFAULT_RANGE_MS : Date.parse(from);
  const stepMs = step * 1_000;
  const aligned = Math.floor(begin / stepMs) * stepMs;
  const errors: FieldError[] = [];
  if (step % MINUTE_SECONDS !== 0) errors.push({ field: 'step', message: 'step must be whole minutes' });
  if (begin > end.getTime()) errors.push({ field: 'from', message: 'from must not be after to' });
  if ((end.getTime() - aligned) / stepMs > MAX_STEPS) {
    errors.push({ field: 'step', message: `step must be so large that there are at most ${MAX_STEPS} steps` });
  }
  if (errors.length > 0) throw new ValidationError(errors);
  return { from: new Date(aligned), to: end, step };
}
