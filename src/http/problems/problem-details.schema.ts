import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { ERROR_CODES, type ErrorCode } from '../../kernel/error-codes.js';
import type { FieldError } from '../../kernel/validation-error.js';
import type { ProblemDetails } from './problem-details.js';

@ApiSchema({ name: 'FieldError' })
class FieldErrorSchema implements FieldError {
  @ApiProperty({ description: 'The field, e.g. `items.0.quantity`, or `body`' })
  field: string;

  @ApiProperty()
  message: string;
}

/** RFC 9457 problem details, for the OpenAPI document. */
@ApiSchema({ name: 'ProblemDetails' })
export class ProblemDetailsSchema implements ProblemDetails {
  @ApiProperty({ example: 'about:blank' })
  type: string;

  @ApiProperty({ description: 'The reason phrase of the status' })
  title: string;

  @ApiProperty({ type: 'integer' })
  status: number;

  @ApiProperty({ description: 'What happened, for a person' })
  detail: string;

  @ApiProperty({ description: 'The path that was asked' })
  instance: string;

  @ApiProperty({ enum: ERROR_CODES, description: 'What happened, for a program', example: 'INSUFFICIENT_STOCK' })
  code: ErrorCode;

  @ApiProperty({ description: 'The `X-Request-Id` of the request; the log has it too' })
  request_id: string;

  @ApiPropertyOptional({ type: [FieldErrorSchema], description: 'Only with 422: every problem of the request' })
  errors?: FieldError[];
}
