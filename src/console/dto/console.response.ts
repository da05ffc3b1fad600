import { ApiProperty, ApiSchema } from '@nestjs/swagger';

@ApiSchema({ name: 'Console' })
export class ConsoleResponse {
  @ApiProperty({ example: 'Order system' })
  name: string;

  @ApiProperty({ example: '1.0.0' })
  version: string;

  @ApiProperty({ description: 'Whether operators may act from here: only on the machine itself, without a proxy' })
  may_act: boolean;

  @ApiProperty({ description: 'Whether `POST /ops/flash-sales` is offered to this caller' })
  flash_sale: boolean;

  @ApiProperty({ description: 'Whether a flash sale can kill the worker, which is started again' })
  kill_worker: boolean;

  @ApiProperty({ type: 'string', nullable: true, example: null, description: 'Of the queue, behind a proxy' })
  dashboard_url: string | null;

  @ApiProperty({ type: 'integer', example: 5555, description: 'Of the queue, on the host of the API' })
  dashboard_port: number;
}
