import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { type Action, ACTION_TYPES, type ActionType } from '../action.js';

@ApiSchema({ name: 'Action' })
export class ActionResponse {
  @ApiProperty({ type: 'integer', format: 'int64', example: 1 })
  id: number;

  @ApiProperty({ enum: ACTION_TYPES, example: 'dead_letters.redriven' })
  type: ActionType;

  @ApiProperty({
    type: 'string',
    nullable: true,
    example: null,
    description: 'Who did it; null while nobody is asked who they are',
  })
  actor: string | null;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    example: { count: 3 },
    description: 'What it was done to',
  })
  details: Readonly<Record<string, unknown>>;

  @ApiProperty({ type: 'string', nullable: true, example: '0191a1b2-7c1d-7e3a-9f00-2b5d1c3e4f5a' })
  request_id: string | null;

  @ApiProperty({ format: 'date-time', example: '2026-01-15T10:30:00.123Z' })
  created_at: string;

  static of({ id, type, actor, details, requestId, createdAt }: Action): ActionResponse {
    return { id, type, actor, details, request_id: requestId, created_at: createdAt.toISOString() };
  }
}

@ApiSchema({ name: 'ActionList' })
export class ActionListResponse {
  @ApiProperty({ type: [ActionResponse] })
  items: ActionResponse[];

  @ApiProperty({
    type: 'integer',
    format: 'int64',
    nullable: true,
    example: null,
    description: '`before` of the next page; null on the last one',
  })
  next: number | null;
}
