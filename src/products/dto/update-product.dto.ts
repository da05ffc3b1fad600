import { PartialType } from '@nestjs/swagger';
import { CreateProductDto } from './create-product.dto.js';

/** Fields that are absent stay as they are; `null` is not absent and is refused. */
export class UpdateProductDto extends PartialType(CreateProductDto, { skipNullProperties: false }) {}
