import { keepShapes } from './kept-shapes.js';

it('keeps an object that process.nextTick has made', async () => {
  const kept = keepShapes();
  await new Promise((resolve) => process.nextTick(resolve));
  expect(kept).toEqual([expect.objectContaining({ callback: expect.any(Function), args: undefined })]);
});
