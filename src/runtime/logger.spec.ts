import { Logger } from '@nestjs/common';
import { Log } from './log.js';
import { createLogger } from './logger.js';
import { withRequest } from './request-context.js';

describe('the logger', () => {
  const lines = (work: () => void, level: 'debug' | 'info' = 'info') => {
    const written: string[] = [];
    const destination = { write: (line: string) => void written.push(line) };
    Logger.overrideLogger(createLogger({ logging: { level, format: 'json', access: 'off' } }, 'worker', destination));
    work();
    Logger.overrideLogger(false);
    return written.map((line): Record<string, unknown> => JSON.parse(line));
  };
  const log = new Log('Test');

  it('writes the fields of the allow-list, and no others', () => {
    const fields = { order_id: 7, body: 'a body', headers: { authorization: 'Bearer x' }, password: 'x' };
    const [line] = lines(() => log.warn('A message', fields));
    expect(line).toEqual({
      level: 'warn',
      time: expect.any(String),
      role: 'worker',
      pid: process.pid,
      context: 'Test',
      order_id: 7,
      message: 'A message',
    });
  });

  it('takes passwords out of URLs that errors quote, also in a stack', () => {
    const error = new Error('cannot reach redis://default:s3cret@cache:6379/0');
    const written = lines(() => {
      log.error('It failed', { error, stack: error.stack });
      new Logger('Library').error(error.message, error.stack);
    });
    expect(written).toHaveLength(2);
    expect(written[0]?.error).toBe('Error: cannot reach redis://default:***@cache:6379/0');
    expect(JSON.stringify(written)).not.toContain('s3cret');
  });

  it('masks keys and tokens that somebody has put where none belongs', () => {
    const [key, token] = [`ord_sk_12_${'a'.repeat(49)}`, 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.c2ln'];
    const [line] = lines(() => log.info('It was refused', { path: `/orders/${key}`, error: `no ${token} here` }));
    expect(line).toMatchObject({ path: '/orders/ord_sk_12_***', error: 'no *** here' });
  });

  it('names the request and the job that a line belongs to', () => {
    const [inside, outside] = lines(() => {
      withRequest({ requestId: 'r-1', jobId: 'order-7' }, () => log.info('Inside'));
      log.info('Outside');
    });
    expect(inside).toMatchObject({ request_id: 'r-1', job_id: 'order-7' });
    expect(outside).not.toHaveProperty('request_id');
  });

  it('writes what a library throws at it: an error, an object, a stack', () => {
    const written = lines(() => {
      const library = new Logger('Library');
      library.error(new Error('thrown'));
      library.error('told', 'Error: told\n    at x');
      library.log({ secret: 'x' });
    });
    expect(written.map(({ message, context }) => [message, context])).toEqual([
      ['thrown', 'Library'],
      ['told', 'Library'],
      ['[object Object]', 'Library'],
    ]);
    expect(written.map(({ stack }) => typeof stack)).toEqual(['string', 'string', 'undefined']);
    expect(JSON.stringify(written)).not.toContain('"x"');
  });

  it('is silent below its level', () => {
    expect(lines(() => log.debug('Unseen'))).toEqual([]);
    expect(lines(() => log.debug('Seen'), 'debug')).toHaveLength(1);
  });
});
