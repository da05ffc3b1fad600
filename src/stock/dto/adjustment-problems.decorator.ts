import { applyDecorators } from '@nestjs/common';
import {
  ApiBodyProblems,
  ApiProblem,
  ApiUnavailableProblem,
  ApiValidationProblem,
} from '../../http/problems/api-problem.decorator.js';
import { ApiIdempotencyKey } from '../../idempotency/idempotency-header.js';

/** Documents what a route that adjusts a stock answers when it does not. */
export function ApiAdjustmentProblems(instance: string): MethodDecorator {
  return applyDecorators(
    ApiProblem('The stock would leave its range; nothing was changed', instance, {
      status: 400,
      code: 'STOCK_OUT_OF_RANGE',
      detail: 'A stock of 1 cannot be adjusted by -2: it must stay between 0 and 2147483647',
    }),
    ApiProblem('There is no such product', instance, {
      status: 404,
      code: 'PRODUCT_NOT_FOUND',
      detail: 'Product with ID 9999 not found',
    }),
    ApiProblem('The stock is not the expected one, or the `Idempotency-Key` is in use', instance, {
      status: 409,
      code: 'STOCK_CONFLICT',
      detail: 'Stock is 98, expected 100',
    }),
    ApiValidationProblem(instance, 'delta', 'delta must be a whole number from -2147483647 to 2147483647, and not 0'),
    ApiBodyProblems(instance),
    ApiUnavailableProblem(instance),
    ApiIdempotencyKey(instance),
  );
}
