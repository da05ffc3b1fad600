import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { PageQuery } from '../../http/paging/page.query.js';
import { EmptyIsAbsent } from '../../http/validation/validators.js';
import { ORDER_STATUSES, type OrderStatus } from '../order-status.js';

export class ListOrdersQuery extends PageQuery {
  @ApiPropertyOptional({ enum: ORDER_STATUSES })
  @EmptyIsAbsent()
  @IsIn(ORDER_STATUSES, { message: `status must be one of ${ORDER_STATUSES.join(', ')}` })
  readonly status?: OrderStatus;
}
