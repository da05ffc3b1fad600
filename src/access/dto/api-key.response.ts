import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { ACCESS_ROLE_NAMES, type AccessRole, type Scope, SCOPES } from '../../kernel/access/scopes.js';
import type { ApiKey, IssuedApiKey } from '../api-key.js';

@ApiSchema({ name: 'Key' })
export class ApiKeyResponse {
  @ApiProperty({ type: 'integer', format: 'int64', example: 12 })
  id: number;

  @ApiProperty({ example: 'web shop' })
  name: string;

  @ApiProperty({
    type: 'string',
    enum: [...ACCESS_ROLE_NAMES, null],
    nullable: true,
    example: 'storefront',
    description: 'A named set of scopes',
  })
  role: AccessRole | null;

  @ApiProperty({ enum: SCOPES, isArray: true, example: [], description: 'Of a key without a role' })
  scopes: readonly Scope[];

  @ApiProperty({ type: 'string', nullable: true, example: null, description: 'The customer whose key it is' })
  customer_ref: string | null;

  @ApiProperty({ type: 'string', nullable: true, example: 'key:1', description: 'Who made it' })
  created_by: string | null;

  @ApiProperty({ format: 'date-time', example: '2026-01-15T10:30:00.123Z' })
  created_at: string;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, example: null })
  expires_at: string | null;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, example: null })
  revoked_at: string | null;

  @ApiProperty({ type: 'string', format: 'date-time', nullable: true, example: null, description: 'To the minute' })
  last_used_at: string | null;

  static of(key: ApiKey): ApiKeyResponse {
    return fieldsOf(key);
  }
}

@ApiSchema({ name: 'IssuedKey' })
export class IssuedApiKeyResponse extends ApiKeyResponse {
  @ApiProperty({
    example: 'ord_sk_12_…',
    description: 'The secret, for `Authorization: Bearer`. It is shown this once, and kept nowhere.',
  })
  token: string;

  static ofIssued({ key, token }: IssuedApiKey): IssuedApiKeyResponse {
    return { ...fieldsOf(key), token };
  }
}

function fieldsOf({ id, name, role, scopes, ...rest }: ApiKey) {
  return {
    id,
    name,
    role,
    scopes,
    customer_ref: rest.customerRef,
    created_by: rest.createdBy,
    created_at: rest.createdAt.toISOString(),
    expires_at: rest.expiresAt?.toISOString() ?? null,
    revoked_at: rest.revokedAt?.toISOString() ?? null,
    last_used_at: rest.lastUsedAt?.toISOString() ?? null,
  };
}

@ApiSchema({ name: 'KeyList' })
export class ApiKeyListResponse {
  @ApiProperty({ type: [ApiKeyResponse] })
  items: ApiKeyResponse[];

  @ApiProperty({
    type: 'integer',
    format: 'int64',
    nullable: true,
    example: null,
    description: '`before` of the next page; null on the last one',
  })
  next: number | null;
}
