import { Controller, Delete, Get, Header, Headers, HttpCode, Post, Put, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import {
  ApiBodyProblems,
  ApiProblem,
  ApiUnavailableProblem,
  ApiValidationProblem,
} from '../http/problems/api-problem.decorator.js';
import { API_PREFIX } from '../http/api-prefix.js';
import { ApiIfMatch, ApiIfNoneMatch, isUnchanged } from '../http/conditional-request.js';
import { ApiId, Id } from '../http/validation/id.decorator.js';
import { linkToNext } from '../http/paging/page.js';
import { AnswersText, JSON_TEXT, locationOf, type TextAnswer } from '../http/text-answer.js';
import { ValidBody, ValidQuery } from '../http/validation/validated.decorator.js';
import { ApiIdempotencyKey, IdempotencyKey, REPLAYED } from '../idempotency/idempotency-key.decorator.js';
import type { IdempotentRequest } from '../idempotency/idempotent-request.js';
import { CreateProductDto } from './dto/create-product.dto.js';
import { ListProductsQuery } from './dto/list-products.query.js';
import { ProductPageResponse, ProductResponse } from './dto/product.response.js';
import { UpdateProductDto } from './dto/update-product.dto.js';
import { type ProductDocument, toDocument } from './product-document.js';
import { ProductService } from './product.service.js';

const PATH = `${API_PREFIX}/products`;
const NEXT_PAGE = {
  Link: {
    schema: { type: 'string' as const },
    description: 'The next page, `rel="next"`, at the same cost however deep',
  },
};
const NOT_FOUND = { status: 404, code: 'PRODUCT_NOT_FOUND', detail: 'Product with ID 9999 not found' };
const ETAG = { ETag: { schema: { type: 'string' as const }, description: 'Of just this state, strong' } };
const ApiProductNotFound = () => ApiProblem('There is no such product', `${PATH}/9999`, NOT_FOUND);
const ApiInvalidId = () => ApiValidationProblem(`${PATH}/abc`, 'id', 'id must be a whole number');

@ApiTags('Products')
@Controller('products')
export class ProductsController {
  constructor(private readonly products: ProductService) {}

  @Post()
  @ApiOperation({ summary: 'Create a product' })
  @AnswersText()
  @ApiIdempotencyKey(PATH)
  @ApiCreatedResponse({
    type: ProductResponse,
    headers: { Location: { schema: { type: 'string' }, description: 'Its path' }, ...ETAG, ...REPLAYED },
  })
  @ApiValidationProblem(
    PATH,
    'price',
    'price must be a number above 0 and at most 99999999.99, with at most two decimals',
  )
  @ApiBodyProblems(PATH)
  @ApiUnavailableProblem(PATH)
  async create(
    @ValidBody() dto: CreateProductDto,
    @IdempotencyKey() request: IdempotentRequest | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TextAnswer> {
    const answer = await this.products.create(dto, request);
    reply.header('Location', locationOf(PATH, answer));
    return { ...answer, ...toDocument(answer.text) };
  }

  @Get()
  @ApiOperation({ summary: 'List products, newest first, and search their names' })
  @ApiOkResponse({ type: ProductPageResponse, headers: NEXT_PAGE })
  @ApiValidationProblem(PATH, 'page', 'page must be a whole number from 1 to 2147483647')
  @ApiUnavailableProblem(PATH)
  async list(
    @ValidQuery() query: ListProductsQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ProductPageResponse> {
    const { page, next } = await this.products.list(query);
    if (next !== undefined) reply.header('Link', linkToNext(PATH, query, next));
    return { ...page, items: page.items.map((product) => ProductResponse.of(product)) };
  }

  @Get(':id')
  @ApiId()
  @Header('Content-Type', JSON_TEXT)
  @ApiOperation({ summary: 'Read a product from the database' })
  @ApiOkResponse({ type: ProductResponse, headers: ETAG })
  @ApiIfNoneMatch()
  @ApiProductNotFound()
  @ApiInvalidId()
  @ApiUnavailableProblem(`${PATH}/1`)
  async get(
    @Id() id: number,
    @Headers('If-None-Match') ifNoneMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string | undefined> {
    return sendDocument(reply, await this.products.get(id), ifNoneMatch);
  }

  @Get(':id/cached')
  @ApiId()
  @Header('Content-Type', JSON_TEXT)
  @ApiOperation({
    summary: 'Read a product through the cache',
    description:
      'The same body as `GET /products/{id}`, at most `CACHE_TTL` seconds old. With Redis down it is read from the database.',
  })
  @ApiOkResponse({ type: ProductResponse, headers: ETAG })
  @ApiIfNoneMatch()
  @ApiProductNotFound()
  @ApiInvalidId()
  @ApiUnavailableProblem(`${PATH}/1/cached`)
  async getCached(
    @Id() id: number,
    @Headers('If-None-Match') ifNoneMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string | undefined> {
    return sendDocument(reply, await this.products.getCached(id), ifNoneMatch);
  }

  @Put(':id')
  @ApiId()
  @AnswersText()
  @ApiOperation({ summary: 'Change some fields of a product; another stock is an adjustment' })
  @ApiOkResponse({ type: ProductResponse, headers: ETAG })
  @ApiIfMatch(`${PATH}/1`)
  @ApiProductNotFound()
  @ApiValidationProblem(`${PATH}/1`, 'stock', 'stock must be a whole number from 0 to 2147483647')
  @ApiBodyProblems(`${PATH}/1`)
  @ApiUnavailableProblem(`${PATH}/1`)
  async update(
    @Id() id: number,
    @ValidBody() dto: UpdateProductDto,
    @Headers('If-Match') ifMatch: string | undefined,
  ): Promise<TextAnswer> {
    return this.products.update(id, dto, ifMatch);
  }

  @Delete(':id')
  @ApiId()
  @HttpCode(204)
  @ApiOperation({ summary: 'Take a product out of the catalogue; its orders stay readable' })
  @ApiNoContentResponse({ description: 'It is gone' })
  @ApiIfMatch(`${PATH}/1`)
  @ApiProductNotFound()
  @ApiInvalidId()
  @ApiUnavailableProblem(`${PATH}/1`)
  async remove(@Id() id: number, @Headers('If-Match') ifMatch: string | undefined): Promise<void> {
    await this.products.remove(id, ifMatch);
  }
}

function sendDocument(reply: FastifyReply, { etag, text }: ProductDocument, ifNoneMatch?: string): string | undefined {
  reply.header('ETag', etag);
  if (!isUnchanged(ifNoneMatch, etag)) return text;
  reply.code(304).removeHeader('Content-Type');
  return undefined;
}
