import { Controller, Delete, Get, Header, Headers, HttpCode, Post, Put, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import {
  ApiBodyProblems,
  ApiProblem,
  ApiUnavailableProblem,
  ApiValidationProblem,
} from '../http/problems/api-problem.decorator.js';
import { Access } from '../http/access/access.decorator.js';
import { LIST_WEIGHT } from '../http/access/route-access.js';
import { API_PREFIX } from '../http/api-prefix.js';
import { ApiIfMatch, ApiIfNoneMatch, isUnchanged, isWeak, matches } from '../http/conditional-request.js';
import { linkToNext, NEXT_PAGE } from '../http/paging/link.js';
import { pageRequestOf } from '../http/paging/page.query.js';
import { toPage } from '../http/paging/page.response.js';
import { JSON_TEXT, LOCATION, sendLocation } from '../http/response.js';
import { type Cents, parseCents } from '../kernel/money.js';
import type { Problem } from '../http/problems/problem-details.js';
import { ApiId, Id } from '../http/validation/id.decorator.js';

import { ValidBody, ValidQuery } from '../http/validation/validated.decorator.js';
import { ApiIdempotencyKey, idempotentRequestOf, REPLAYED, resultOf } from '../idempotency/idempotency-header.js';
import { CreateProductDto } from './dto/create-product.dto.js';
import { ListProductsQuery } from './dto/list-products.query.js';
import { ProductPageResponse, ProductResponse } from './dto/product.response.js';
import { UpdateProductDto } from './dto/update-product.dto.js';
import { documentOf, type ProductDocument } from './product-document.js';
import { ProductDocumentService } from './product-document.service.js';
import { ProductReaderService } from './product-reader.service.js';
import { WeakPreconditionError } from './product.errors.js';
import { type Precondition, ProductService } from './product.service.js';

const PATH = `${API_PREFIX}/products`;
const NOT_FOUND: Problem = { status: 404, code: 'PRODUCT_NOT_FOUND', detail: 'Product with ID 9999 not found' };
const ETAG = { ETag: { schema: { type: 'string' as const }, description: 'Of just this state, strong' } };
const ApiProductNotFound = () => ApiProblem('There is no such product', `${PATH}/9999`, NOT_FOUND);
const ApiInvalidId = () => ApiValidationProblem(`${PATH}/abc`, 'id', 'id must be a whole number');

/** A product may be kept, and is asked for each time with its `ETag`. */
const REVALIDATED = 'no-cache';

@ApiTags('Products')
@Controller('products')
export class ProductsController {
  constructor(
    private readonly products: ProductService,
    private readonly reader: ProductReaderService,
    private readonly documents: ProductDocumentService,
  ) {}

  @Post()
  @Access(['products:write'], PATH)
  @ApiOperation({ summary: 'Create a product' })
  @Header('content-type', JSON_TEXT)
  @ApiIdempotencyKey(PATH)
  @ApiCreatedResponse({
    type: ProductResponse,
    headers: { ...LOCATION, ...ETAG, ...REPLAYED },
  })
  @ApiValidationProblem(
    PATH,
    'price',
    'price must be a number above 0 and at most 99999999.99, with at most two decimals',
  )
  @ApiBodyProblems(PATH)
  @ApiUnavailableProblem(PATH)
  async createProduct(
    @ValidBody() { name, price, stock, max_per_customer: maxPerCustomer = null }: CreateProductDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const created = await this.products.create(
      { name, price: toCents(price), stock, maxPerCustomer },
      idempotentRequestOf(reply.request),
    );
    const product = resultOf(reply, created);
    sendLocation(reply, PATH, product);
    return sendDocument(reply, documentOf(product));
  }

  @Get()
  @Access({ scopes: ['products:read'], customers: true, weight: LIST_WEIGHT }, PATH)
  @Header('cache-control', REVALIDATED)
  @ApiOperation({ summary: 'List products, newest first, and search their names' })
  @ApiOkResponse({ type: ProductPageResponse, headers: NEXT_PAGE })
  @ApiValidationProblem(PATH, 'page', 'page must be a whole number from 1 to 2147483647')
  @ApiUnavailableProblem(PATH)
  async listProducts(
    @ValidQuery() query: ListProductsQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ProductPageResponse> {
    const request = pageRequestOf(query);
    const listing = await this.reader.list(request, query.search);
    if (listing.next !== undefined) reply.header('Link', linkToNext(PATH, query, listing.next));
    return toPage(listing, request, (product) => ProductResponse.of(product));
  }

  @Get(':id')
  @Access({ scopes: ['products:read'], customers: true }, `${PATH}/1`)
  @ApiId()
  @Header('content-type', JSON_TEXT)
  @Header('cache-control', REVALIDATED)
  @ApiOperation({ summary: 'Read a product from the database' })
  @ApiOkResponse({ type: ProductResponse, headers: ETAG })
  @ApiIfNoneMatch()
  @ApiProductNotFound()
  @ApiInvalidId()
  @ApiUnavailableProblem(`${PATH}/1`)
  async getProduct(
    @Id() id: number,
    @Headers('If-None-Match') ifNoneMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string | undefined> {
    return sendIfChanged(reply, await this.documents.get(id), ifNoneMatch);
  }

  @Get(':id/cached')
  @Access({ scopes: ['products:read'], customers: true }, `${PATH}/1/cached`)
  @ApiId()
  @Header('content-type', JSON_TEXT)
  @Header('cache-control', REVALIDATED)
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
  async getCachedProduct(
    @Id() id: number,
    @Headers('If-None-Match') ifNoneMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string | undefined> {
    return sendIfChanged(reply, await this.documents.getCached(id), ifNoneMatch);
  }

  @Put(':id')
  @Access(['products:write'], `${PATH}/1`)
  @ApiId()
  @Header('content-type', JSON_TEXT)
  @ApiOperation({ summary: 'Change some fields of a product; another stock is an adjustment' })
  @ApiOkResponse({ type: ProductResponse, headers: ETAG })
  @ApiIfMatch(`${PATH}/1`)
  @ApiProductNotFound()
  @ApiValidationProblem(`${PATH}/1`, 'stock', 'stock must be a whole number from 0 to 2147483647')
  @ApiBodyProblems(`${PATH}/1`)
  @ApiUnavailableProblem(`${PATH}/1`)
  async updateProduct(
    @Id() id: number,
    @ValidBody() { name, price, stock, max_per_customer: maxPerCustomer }: UpdateProductDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const fields = { name, price: price === undefined ? undefined : toCents(price), stock, maxPerCustomer };
    return sendDocument(
      reply,
      documentOf(await this.products.update(id, fields, preconditionOf(reply.request.headers['if-match']))),
    );
  }

  @Delete(':id')
  @Access(['products:write'], `${PATH}/1`)
  @ApiId()
  @HttpCode(204)
  @ApiOperation({ summary: 'Take a product out of the catalogue; its orders stay readable' })
  @ApiNoContentResponse({ description: 'It is gone' })
  @ApiIfMatch(`${PATH}/1`)
  @ApiProductNotFound()
  @ApiInvalidId()
  @ApiUnavailableProblem(`${PATH}/1`)
  async deleteProduct(@Id() id: number, @Headers('If-Match') ifMatch: string | undefined): Promise<void> {
    await this.products.remove(id, preconditionOf(ifMatch));
  }
}

/** As exact as the JSON number is printed. */
function toCents(price: number): Cents {
  return parseCents(String(price));
}

function preconditionOf(ifMatch: string | undefined): Precondition {
  return (product) => {
    const isMet = matches(ifMatch, () => documentOf(product).etag);
    if (!isMet && isWeak(ifMatch)) throw new WeakPreconditionError();
    return isMet;
  };
}

function sendDocument(reply: FastifyReply, { etag, text }: ProductDocument): string {
  reply.header('etag', etag);
  return text;
}

function sendIfChanged(reply: FastifyReply, document: ProductDocument, ifNoneMatch?: string): string | undefined {
  const text = sendDocument(reply, document);
  if (!isUnchanged(ifNoneMatch, document.etag)) return text;
  reply.code(304).removeHeader('content-type');
  return undefined;
}
