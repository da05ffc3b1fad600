import { ApiPropertyOptional } from '@nestjs/swagger';
import { PageQuery } from '../../http/paging/page.query.js';
import { EmptyIsAbsent, IsText } from '../../http/validation/validators.js';

export class ListProductsQuery extends PageQuery {
  @ApiPropertyOptional({
    maxLength: 255,
    description:
      'Any part of the name, ignoring case; `total` counts up to 10 000 hits, pages go on to 100 000 and their links to the end',
    example: 'keyboard',
  })
  @EmptyIsAbsent()
  @IsText(1, 255)
  readonly search?: string;
}
