import { ApiPropertyOptional } from '@nestjs/swagger';
import { PageQuery } from '../../http/paging/page.query.js';
import { EmptyIsAbsent, IsText } from '../../http/validation/validators.js';

export class ListProductsQuery extends PageQuery {
  @ApiPropertyOptional({
    maxLength: 255,
    description:
      'Any part of the name, in any script. Case, the space at its ends, and how letters are composed make no difference. `total` counts up to 10 000 hits, pages go on to 100 000 and their links to the end',
    example: 'keyboard',
  })
  @EmptyIsAbsent()
  @IsText(1, 255)
  readonly search?: string;
}
