import { Controller, Delete, Get, HttpCode, Post, Req, Res } from '@nestjs/common';
import {
  ApiBody,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { InjectDataSource } from '@nestjs/typeorm';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DataSource } from 'typeorm';
import { READS } from '../database/data-source-options.js';
import { readPrepared } from '../database/prepared-statement.js';
import { Access } from '../http/access/access.decorator.js';
import { API_PREFIX } from '../http/api-prefix.js';
import { BeforeQuery } from '../http/paging/before.query.js';
import {
  ApiBodyProblems,
  ApiProblem,
  ApiUnavailableProblem,
  ApiValidationProblem,
} from '../http/problems/api-problem.decorator.js';
import type { Problem } from '../http/problems/problem-details.js';
import { ApiId, Id } from '../http/validation/id.decorator.js';
import { ValidBody, ValidQuery } from '../http/validation/validated.decorator.js';
import { ApiIdempotencyKey, idempotentRequestOf } from '../idempotency/idempotency-header.js';
import { newestOf } from '../kernel/page.js';
import type { ApiKey } from './api-key.js';
import { selectApiKeys } from './api-key-rows.js';
import { ApiKeysService } from './api-keys.service.js';
import { KeyRing } from './key-ring.js';
import { ApiKeyListResponse, ApiKeyResponse, IssuedApiKeyResponse } from './dto/api-key.response.js';
import { CreateApiKeyDto, newApiKeyOf } from './dto/create-api-key.dto.js';
import { RollApiKeyDto } from './dto/roll-api-key.dto.js';

const PATH = `${API_PREFIX}/keys`;
const NOT_FOUND: Problem = { status: 404, code: 'KEY_NOT_FOUND', detail: 'Key with ID 12 not found' };
const ALREADY_ISSUED: Problem = {
  status: 409,
  code: 'KEY_ALREADY_ISSUED',
  detail: 'The key with ID 12 was issued for this Idempotency-Key, and its secret is shown once; roll or revoke it',
};

@ApiTags('Access')
@Controller('keys')
export class ApiKeysController {
  constructor(
    private readonly keys: ApiKeysService,
    private readonly ring: KeyRing,
    @InjectDataSource(READS) private readonly reads: DataSource,
  ) {}

  @Post()
  @Access(['keys:manage'], PATH)
  @ApiOperation({
    summary: 'Make a key',
    description:
      'It can do no more than who makes it. The token is shown this once; what is kept of it is a digest. Other processes know it within two seconds.',
  })
  @ApiCreatedResponse({ type: IssuedApiKeyResponse })
  @ApiProblem('The `Idempotency-Key` has made a key, or is in use', PATH, ALREADY_ISSUED)
  @ApiValidationProblem(PATH, 'role', 'role or scopes must be given, and not both')
  @ApiBodyProblems(PATH)
  @ApiUnavailableProblem(PATH)
  @ApiIdempotencyKey(PATH)
  async createKey(@ValidBody() dto: CreateApiKeyDto, @Req() request: FastifyRequest): Promise<IssuedApiKeyResponse> {
    const issued = await this.keys.create(newApiKeyOf(dto), request.caller, idempotentRequestOf(request));
    await this.ring.refresh();
    return IssuedApiKeyResponse.ofIssued(issued);
  }

  @Get()
  @Access(['keys:manage'], PATH)
  @ApiOperation({
    summary: 'List keys, newest first',
    description: 'Those that were revoked or have expired included.',
  })
  @ApiOkResponse({ type: ApiKeyListResponse })
  @ApiValidationProblem(PATH, 'page_size', 'page_size must be a whole number from 1 to 100')
  @ApiUnavailableProblem(PATH)
  async listKeys(@ValidQuery() { before, page_size: limit }: BeforeQuery): Promise<ApiKeyListResponse> {
    const keys = await readPrepared<ApiKey & object>(this.reads, selectApiKeys({ before, limit: limit + 1 }));
    const { items, next } = newestOf(keys, limit);
    return { items: items.map((key) => ApiKeyResponse.of(key)), next };
  }

  @Post(':id/roll')
  @Access(['keys:manage'], `${PATH}/12/roll`)
  @ApiId()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Give a key another secret',
    description:
      'The old one stays good for `overlap_seconds`, while what uses it is told the new one. Other processes know it within two seconds.',
  })
  @ApiBody({ type: RollApiKeyDto, required: false })
  @ApiOkResponse({ type: IssuedApiKeyResponse })
  @ApiProblem('There is no such key, or it is revoked', `${PATH}/12/roll`, NOT_FOUND)
  @ApiProblem('The `Idempotency-Key` has rolled the key, or is in use', `${PATH}/12/roll`, ALREADY_ISSUED)
  @ApiValidationProblem(
    `${PATH}/12/roll`,
    'overlap_seconds',
    'overlap_seconds must be a whole number from 0 to 2592000',
  )
  @ApiBodyProblems(`${PATH}/12/roll`)
  @ApiUnavailableProblem(`${PATH}/12/roll`)
  @ApiIdempotencyKey(`${PATH}/12/roll`)
  async rollKey(
    @Id() id: number,
    @ValidBody() { overlap_seconds: overlap = 0 }: RollApiKeyDto,
    @Req() request: FastifyRequest,
  ): Promise<IssuedApiKeyResponse> {
    const by = { caller: request.caller, request: idempotentRequestOf(request) };
    const issued = await this.keys.roll(id, overlap, by);
    await this.ring.refresh();
    return IssuedApiKeyResponse.ofIssued(issued);
  }

  @Delete(':id')
  @Access(['keys:manage'], `${PATH}/12`)
  @ApiId()
  @HttpCode(204)
  @ApiOperation({ summary: 'Revoke a key', description: 'It is refused by every process within two seconds.' })
  @ApiNoContentResponse()
  @ApiProblem('There is no such key, or it is revoked', `${PATH}/12`, NOT_FOUND)
  @ApiValidationProblem(`${PATH}/abc`, 'id', 'id must be a whole number')
  @ApiUnavailableProblem(`${PATH}/12`)
  async revokeKey(@Id() id: number, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    await this.keys.revoke(id, reply.request.caller);
    await this.ring.refresh();
    reply.code(204);
  }
}
