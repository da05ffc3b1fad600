import { TextFilter } from '../components/filter';
import { Pager } from '../components/pager';
import { Failure, PageHeading } from '../components/states';
import { Table } from '../components/table';
import { count, money, moment } from '../format';
import { usePolled } from '../polling';
import { go, hrefOf, route } from '../route';
import type { Page, Product } from '../types';

const PAGE_SIZE = 20;

/** All products, by name. */
export function ProductsPage() {
  const { filters } = route.value;
  const search = filters.get('search') ?? '';
  const page = filters.get('page') ?? '1';
  const query = new URLSearchParams({ page, page_size: String(PAGE_SIZE), search });
  const products = usePolled<Page<Product>>(`products?${query.toString()}`, 10_000);
  return (
    <>
      <PageHeading title="Products">
        <TextFilter
          label="Name"
          value={search}
          onChange={(text) => go(hrefOf('/products', { search: text }), { replaces: true })}
        />
      </PageHeading>
      <Failure error={products.error} />
      {products.data !== undefined && <Products products={products.data.items} />}
      <Pager page={products.data} hrefOfPage={(to) => hrefOf('/products', { search, page: to })} />
    </>
  );
}

function Products({ products }: { readonly products: readonly Product[] }) {
  return (
    <Table
      caption="Products"
      columns={['Product', 'Name', 'Price', 'Stock', 'Changed']}
      numbers={[2, 3]}
      empty="There is no such product"
      rows={products.map(({ id, name, price, stock, updated_at: updatedAt }) => [
        <a href={hrefOf(`/products/${id}`)}>{id}</a>,
        <bdi>{name}</bdi>,
        money(price),
        <span class={stock === 0 ? 'none-left' : undefined}>{count(stock)}</span>,
        moment(updatedAt),
      ])}
    />
  );
}
