import { applyDecorators } from '@nestjs/common';
import { MAX_CUSTOMER_REF_LENGTH } from '../../kernel/access/caller.js';
import { IsName, OptionalField } from './validators.js';

/** Documents {@link IsCustomerRef}. */
export const CUSTOMER_REF = {
  type: 'string' as const,
  minLength: 1,
  maxLength: MAX_CUSTOMER_REF_LENGTH,
  example: 'customer-4711',
  description: "The shop's own id of the buyer. A customer's own is filled in; another's is refused with 403.",
};

/** The shop's own id of a buyer, which may be absent. */
export function IsCustomerRef(): PropertyDecorator {
  return applyDecorators(OptionalField(), IsName(1, MAX_CUSTOMER_REF_LENGTH));
}
