import { faultsOf } from '../support/document.js';

/** The check of every answer of the e2e tests must itself find what is wrong. */
it('finds an answer that is not as the document has it', () => {
  const url = 'http://localhost/api/v1/products/1';
  const json = 'application/json; charset=utf-8';
  const product = {
    id: 1,
    name: 'x',
    price: 1.5,
    stock: 1,
    max_per_customer: null,
    created_at: '2026-01-15T10:30:00.123Z',
    updated_at: '2026-01-15T10:30:00.123Z',
  };
  const faults = (body: object, status = 200, contentType = json) =>
    faultsOf('GET', url, { status, contentType, text: JSON.stringify(body) });
  expect(faults(product)).toEqual([]);
  expect(faults({ ...product, stock: 'one' })).toEqual([expect.stringContaining('/stock must be integer')]);
  expect(faults({ ...product, secret: 1 })).toEqual([expect.stringContaining('additional properties')]);
  expect(faults({ ...product, created_at: 'today' })).toEqual([expect.stringContaining('format')]);
  expect(faults({ ...product, name: undefined })).toEqual([expect.stringContaining("'name'")]);
  expect(faults(product, 201)).toEqual(['201 is not documented']);
  expect(faults(product, 200, 'text/html')).toEqual(['200 is of the type text/html']);
  expect(faults({ code: 'WRONG' }, 404, 'application/problem+json')).toEqual(
    expect.arrayContaining([expect.stringContaining('/code must be equal to one of')]),
  );
});
