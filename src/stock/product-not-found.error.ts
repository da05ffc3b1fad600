import { ApplicationError } from '../kernel/application-error.js';

export class ProductNotFoundError extends ApplicationError {
  readonly kind = 'not_found';
  readonly code = 'PRODUCT_NOT_FOUND';

  constructor(id: number) {
    super(`Product with ID ${id} not found`);
  }
}
