import { Body, Controller, Delete, Get, Header, HttpCode, Post, Put, Query, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import {
  ApiBodyProblems,
  ApiProblem,
  ApiUnavailableProblem,
  ApiValidationProblem,
} from '../common/api-problem.decorator.js';
import { API_PREFIX } from '../common/api-prefix.js';
import { ApiId, Id } from '../common/id.decorator.js';
import { linkToNext } from '../common/page.js';
import { CreateProductDto } from './dto/create-product.dto.js';
import { ListProductsQuery } from './dto/list-products.query.js';
import { ProductPageResponse, ProductResponse } from './dto/product.response.js';
import { UpdateProductDto } from './dto/update-product.dto.js';
import { ProductService } from './product.service.js';

const PATH = `${API_PREFIX}/products`;
const NEXT_PAGE = {
  Link: {
    schema: { type: 'string' as const },
    description: 'The next page, `rel="next"`, at the same cost however deep',
  },
};
const NOT_FOUND = { status: 404, code: 'PRODUCT_NOT_FOUND', detail: 'Product with ID 9999 not found' };
/** Of an answer that is text already. */
const JSON_TEXT = 'application/json; charset=utf-8';
const ApiProductNotFound = () => ApiProblem('There is no such product', `${PATH}/9999`, NOT_FOUND);
const ApiInvalidId = () => ApiValidationProblem(`${PATH}/abc`, 'id', 'id must be a whole number');

@ApiTags('Products')
@Controller('products')
export class ProductsController {
  constructor(private readonly products: ProductService) {}

  @Post()
  @ApiOperation({ summary: 'Create a product' })
  @ApiCreatedResponse({
    type: ProductResponse,
    headers: { Location: { schema: { type: 'string' }, description: 'Its path' } },
  })
  @ApiValidationProblem(
    PATH,
    'price',
    'price must be a number above 0 and at most 99999999.99, with at most two decimals',
  )
  @ApiBodyProblems(PATH)
  @ApiUnavailableProblem(PATH)
  async create(
    @Body() dto: CreateProductDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ProductResponse> {
    const product = await this.products.create(dto);
    reply.header('Location', `${PATH}/${product.id}`);
    return ProductResponse.of(product);
  }

  @Get()
  @ApiOperation({ summary: 'List products, newest first, and search their names' })
  @ApiOkResponse({ type: ProductPageResponse, headers: NEXT_PAGE })
  @ApiValidationProblem(PATH, 'page', 'page must be a whole number from 1 to 2147483647')
  @ApiUnavailableProblem(PATH)
  async list(
    @Query() query: ListProductsQuery,
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
  @ApiOkResponse({ type: ProductResponse })
  @ApiProductNotFound()
  @ApiInvalidId()
  @ApiUnavailableProblem(`${PATH}/1`)
  async get(@Id() id: number): Promise<string> {
    return this.products.get(id);
  }

  @Get(':id/cached')
  @ApiId()
  @Header('Content-Type', JSON_TEXT)
  @ApiOperation({
    summary: 'Read a product through the cache',
    description:
      'The same body as `GET /products/{id}`, at most `CACHE_TTL` seconds old. With Redis down it is read from the database.',
  })
  @ApiOkResponse({ type: ProductResponse })
  @ApiProductNotFound()
  @ApiInvalidId()
  @ApiUnavailableProblem(`${PATH}/1/cached`)
  async getCached(@Id() id: number): Promise<string> {
    return this.products.getCached(id);
  }

  @Put(':id')
  @ApiId()
  @ApiOperation({ summary: 'Change some fields of a product' })
  @ApiOkResponse({ type: ProductResponse })
  @ApiProductNotFound()
  @ApiValidationProblem(`${PATH}/1`, 'stock', 'stock must be a whole number from 0 to 2147483647')
  @ApiBodyProblems(`${PATH}/1`)
  @ApiUnavailableProblem(`${PATH}/1`)
  async update(@Id() id: number, @Body() dto: UpdateProductDto): Promise<ProductResponse> {
    return ProductResponse.of(await this.products.update(id, dto));
  }

  @Delete(':id')
  @ApiId()
  @HttpCode(204)
  @ApiOperation({ summary: 'Take a product out of the catalogue; its orders stay readable' })
  @ApiNoContentResponse({ description: 'It is gone' })
  @ApiProductNotFound()
  @ApiInvalidId()
  @ApiUnavailableProblem(`${PATH}/1`)
  async remove(@Id() id: number): Promise<void> {
    await this.products.remove(id);
  }
}
