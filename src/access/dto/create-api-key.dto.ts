import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsCustomerRef } from '../../http/validation/customer-ref.decorator.js';
import { IsListOf, IsMoment, IsName, IsOneOf, OptionalField, Trimmed } from '../../http/validation/validators.js';
import { MAX_CUSTOMER_REF_LENGTH } from '../../kernel/access/caller.js';
import { ACCESS_ROLE_NAMES, type AccessRole, type Scope, SCOPES } from '../../kernel/access/scopes.js';
import { ValidationError } from '../../kernel/validation-error.js';
import type { NewApiKey } from '../api-key.js';

export const MAX_NAME_LENGTH = 100;

export class CreateApiKeyDto {
  @ApiProperty({ minLength: 1, maxLength: MAX_NAME_LENGTH, example: 'web shop', description: 'For a person' })
  @Trimmed()
  @IsName(1, MAX_NAME_LENGTH)
  readonly name: string;

  @ApiPropertyOptional({ enum: ACCESS_ROLE_NAMES, example: 'storefront', description: 'A named set of scopes' })
  @OptionalField()
  @IsOneOf(ACCESS_ROLE_NAMES)
  readonly role?: AccessRole;

  @ApiPropertyOptional({
    enum: SCOPES,
    isArray: true,
    minItems: 1,
    example: ['products:read'],
    description: 'Instead of a role. `…:write` and `…:manage` include reading.',
  })
  @OptionalField()
  @IsListOf(SCOPES)
  readonly scopes?: readonly Scope[];

  @ApiPropertyOptional({
    minLength: 1,
    maxLength: MAX_CUSTOMER_REF_LENGTH,
    example: 'customer-4711',
    description: 'The key is that customer, who sees and changes only what carries this `customer_ref`',
  })
  @IsCustomerRef()
  readonly customer_ref?: string;

  @ApiPropertyOptional({
    format: 'date-time',
    example: '2027-01-15T10:30:00Z',
    description: 'From then on the key is refused; without it, it is good until it is revoked',
  })
  @OptionalField()
  @IsMoment()
  readonly expires_at?: string;
}

/** @throws ValidationError when it has neither a role nor scopes, or both, or has expired. */
export function newApiKeyOf({ name, role, scopes = [], ...rest }: CreateApiKeyDto): NewApiKey {
  const { customer_ref: customerRef, expires_at: expiresAt } = rest;
  if ((role === undefined) === (scopes.length === 0)) refuse('role', 'role or scopes must be given, and not both');
  const expiry = expiresAt === undefined ? undefined : new Date(expiresAt);
  if (expiry !== undefined && expiry.getTime() <= Date.now()) refuse('expires_at', 'expires_at must be in the future');
  return { name, role, scopes: [...new Set(scopes)], customerRef, expiresAt: expiry };
}

function refuse(field: string, message: string): never {
  throw new ValidationError([{ field, message }]);
}
