import { type Scope, SCOPES } from '../../kernel/access/scopes.js';
import { ApiProperty, ApiSchema } from '@nestjs/swagger';

@ApiSchema({ name: 'Console' })
export class ConsoleResponse {
  @ApiProperty({ example: 'Order system' })
  name: string;

  @ApiProperty({ example: '1.0.0' })
  version: string;

  @ApiProperty({
    type: 'string',
    nullable: true,
    example: 'key:12',
    description: 'The caller; null where nobody is asked',
  })
  actor: string | null;

  @ApiProperty({ enum: SCOPES, isArray: true, example: ['ops:read'], description: 'What the caller may do' })
  scopes: readonly Scope[];

  @ApiProperty({ description: 'Whether `POST /ops/flash-sales` is offered to this caller' })
  flash_sale: boolean;

  @ApiProperty({ description: 'Whether a flash sale can kill the worker, which is started again' })
  kill_worker: boolean;

  @ApiProperty({ type: 'string', nullable: true, example: null, description: 'Of the queue, behind a proxy' })
  dashboard_url: string | null;

  @ApiProperty({ type: 'integer', example: 5555, description: 'Of the queue, on the host of the API' })
  dashboard_port: number;
}
