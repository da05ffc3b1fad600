import { ApiProperty } from '@nestjs/swagger';
import { DigitsToNumber, IsId } from './validators.js';

/** The id in a path. One that no row has is for the service to miss. */
export class IdParams {
  @ApiProperty({ type: 'integer', format: 'int64', example: 1 })
  @DigitsToNumber()
  @IsId()
  readonly id: number;
}
