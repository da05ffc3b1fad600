import { PickType } from '@nestjs/swagger';
import { PageQuery } from '../../http/paging/page.query.js';

/** The ledger is read from its end, page after page. */
export class ListMovementsQuery extends PickType(PageQuery, ['page_size', 'before']) {}
