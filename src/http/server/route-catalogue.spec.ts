import { RouteCatalogue } from './route-catalogue.js';

describe('RouteCatalogue', () => {
  const routes = new RouteCatalogue();
  routes.add('/', 'GET');
  routes.add('/products', ['GET', 'POST']);
  routes.add('/products/:id', 'PUT');
  routes.add('/products/:id', 'GET');
  routes.add('/files/*', 'GET');
  routes.add('/a.json', 'GET');

  it.each([
    ['/', ['GET']],
    ['/products', ['GET', 'POST']],
    ['/products/', ['GET', 'POST']],
    ['/products?page=1', ['GET', 'POST']],
    ['/products/7', ['GET', 'PUT']],
    ['/products/7/x', []],
    ['/files/a/b', ['GET']],
    ['/a.json', ['GET']],
    ['/aXjson', []],
    ['/nothing', []],
  ])('knows the methods of %s', (url, methods) => expect(routes.methodsOf(url)).toEqual(methods));
});
