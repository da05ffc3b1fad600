import { ApiPropertyOptional } from '@nestjs/swagger';
import { PageQuery } from '../../http/paging/page.query.js';
import { MAX_CUSTOMER_REF_LENGTH } from '../../kernel/access/caller.js';
import { EmptyIsAbsent, IsName, IsOneOf, IsText } from '../../http/validation/validators.js';
import { ORDER_STATUSES, type OrderStatus } from '../order-status.js';

const MAX_REQUEST_ID_LENGTH = 128;

export class ListOrdersQuery extends PageQuery {
  @ApiPropertyOptional({ enum: ORDER_STATUSES })
  @EmptyIsAbsent()
  @IsOneOf(ORDER_STATUSES)
  readonly status?: OrderStatus;

  @ApiPropertyOptional({
    type: 'string',
    maxLength: MAX_CUSTOMER_REF_LENGTH,
    description: 'Only those of this customer; `total` counts to 10000 then',
  })
  @EmptyIsAbsent()
  @IsName(1, MAX_CUSTOMER_REF_LENGTH)
  readonly customer_ref?: string;

  @ApiPropertyOptional({
    type: 'string',
    maxLength: MAX_REQUEST_ID_LENGTH,
    description: 'Only what a request with this `X-Request-Id` has bought or cancelled: the last 1000 orders of it',
  })
  @EmptyIsAbsent()
  @IsText(1, MAX_REQUEST_ID_LENGTH)
  readonly request_id?: string;
}
