import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsText, OptionalField, Trimmed } from '../../http/validation/validators.js';

export class CancelOrderDto {
  @ApiPropertyOptional({ minLength: 1, maxLength: 255, example: 'changed my mind', description: 'For its history' })
  @OptionalField()
  @Trimmed()
  @IsText(1, 255)
  readonly reason?: string;
}
