import { describe, expect, test } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { ServiceError } from '../../../src/errors.ts';
import { ByteLimiter, readBody } from '../../../src/intake/body.ts';
import { codeOf, fakeRequest, wholeRequest } from '../../helpers/fake-request.ts';

const SIGNAL = new AbortController().signal;

async function readAll(chunks: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) text += chunk.toString();
  return text;
}

describe('a raw body', () => {
  test('is returned chunk by chunk and ends when it is complete', async () => {
    const { request, send, end } = fakeRequest();
    const chunks = readBody(request, SIGNAL);
    send('one');
    expect((await chunks.next()).value?.toString()).toBe('one');
    send('two');
    end();
    expect(await readAll(chunks)).toBe('two');
  });

  test('without bytes has no chunk', async () => {
    expect(await readAll(readBody(wholeRequest({}), SIGNAL))).toBe('');
  });

  test('fails with upload_interrupted if the client disconnects, at once or between chunks', async () => {
    for (const chunk of [[], ['one']]) {
      const { request, send, breakOff } = fakeRequest();
      const reading = codeOf(readAll(readBody(request, SIGNAL)));
      send(...chunk);
      await turn();
      breakOff();
      expect(await reading).toBe('upload_interrupted');
    }
  });

  test('ends with the reason of the signal and leaves the request open for an answer', async () => {
    const controller = new AbortController();
    const { request, send } = fakeRequest();
    const reading = codeOf(readAll(readBody(request, controller.signal)));
    send('one');
    await turn();
    controller.abort(new ServiceError('shutting_down', 'Stopping.'));
    expect(await reading).toBe('shutting_down');
    expect(request.destroyed).toBe(false);
  });

  test('is not read if the signal has fired before', async () => {
    const reading = readAll(
      readBody(wholeRequest({}, 'one'), AbortSignal.abort(new ServiceError('shutting_down', 'Stopping.'))),
    );
    expect(await codeOf(reading)).toBe('shutting_down');
  });

  test('does not end the request if the reader stops early', async () => {
    const { request, send } = fakeRequest();
    send('one', 'two');
    for await (const chunk of readBody(request, SIGNAL)) if (chunk.length > 0) break;
    await turn();
    expect(request.destroyed).toBe(false);
  });
});

describe('the byte limiter', () => {
  test('throws at the first byte over the limit', () => {
    const limiter = new ByteLimiter(10);
    limiter.add(9);
    limiter.add(1);
    limiter.add(0);
    expect(limiter.bytes).toBe(10);
    expect(() => limiter.add(1)).toThrow(expect.objectContaining({ code: 'file_too_large', status: 413 }));
  });

  test('names the limit in its error', () => {
    expect(() => new ByteLimiter(10).add(11)).toThrow(/more than 10 bytes/);
  });
});
