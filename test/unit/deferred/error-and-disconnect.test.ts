import { afterEach, describe, expect, test } from '@jest/globals';
import net from 'node:net';
import { Readable } from 'node:stream';
import { DeferredResult } from '../../../src/deferred/deferred-result.ts';
import { heldOf } from '../../../src/deferred/held-response.ts';
import type { Ending } from '../../../src/deferred/outcome.ts';
import { Registry } from '../../../src/deferred/registry.ts';
import { closeServers, serve, until, type ServeOptions, type Served } from './serve.ts';

afterEach(closeServers);

const failOnFault = (error: unknown): never => {
  throw error;
};

interface Poll {
  served: Served;
  registry: Registry<unknown>;
  results: DeferredResult[];
  endings: (Ending | undefined)[];
}

/** Serves requests that are held until `registry` wakes their path. */
async function servePolls(options: ServeOptions = {}): Promise<Poll> {
  const registry = new Registry<unknown>({ onFault: failOnFault });
  const results: DeferredResult[] = [];
  const served = await serve((ctx) => {
    const result = new DeferredResult<unknown>({ timeoutResult: 'fallback' });
    result.onCompletion(registry.register([ctx.path], (event) => result.setResult(event)));
    results.push(result);
    return result;
  }, options);
  const endings: (Ending | undefined)[] = [];
  served.manager.register('endings', { afterCompletion: (held) => endings.push(held.ending) });
  return { served, registry, results, endings };
}

describe('an error or a disconnect', () => {
  test('runs onError and then becomes the result, without the fallback for timeouts', async () => {
    const { served, results, endings } = await servePolls();
    const order: unknown[] = [];
    const answer = served.get('/x');
    await until(() => served.manager.held === 1);
    const failure = Object.assign(new Error('revoked'), { status: 403, expose: true });
    results[0]?.onError((error) => order.push([error, results[0]?.hasResult()]));
    const held = heldOf(served.contexts[0]!);
    expect(held?.fail(failure)).toBe(true);
    expect(held?.fail(failure)).toBe(false);
    expect(await answer).toMatchObject({ status: 403, body: 'revoked' });
    expect(order).toEqual([[failure, false]]);
    expect(results[0]?.getResult()).toBe(failure);
    await until(() => endings.length > 0);
    expect(endings).toEqual(['error']);
  });

  test('is replaced by a value that onError sets', async () => {
    const { served, results } = await servePolls();
    const answer = served.get('/x');
    await until(() => served.manager.held === 1);
    results[0]?.onError(() => results[0]?.setResult('instead'));
    heldOf(served.contexts[0]!)?.fail(new Error('lost'));
    expect(await answer).toMatchObject({ status: 200, body: 'instead' });
    expect(served.appErrors).toEqual([]);
  });

  test('has its own type if the client goes away, is not reported, and releases the waiter at once', async () => {
    const { served, registry, results, endings } = await servePolls();
    const seen: unknown[] = [];
    const request = served.open('/x');
    await until(() => served.manager.held === 1);
    expect([registry.size, served.contexts[0]!.res.listenerCount('close')]).toEqual([1, 1]);
    const atClose: unknown[] = [];
    // This listener was added last. When it runs, in the same emit, all others must be gone.
    served.contexts[0]!.res.on('close', () => atClose.push(registry.size, served.manager.held, served.manager.timers));
    results[0]?.onError((error) => seen.push(error));
    request.destroy();
    await until(() => endings.length > 0);
    expect(atClose).toEqual([0, 0, 0]);
    expect(seen).toEqual([expect.objectContaining({ code: 'client_disconnected' })]);
    expect(endings).toEqual(['disconnect']);
    expect(results[0]?.setResult('late')).toBe(false);
    expect([served.faults, served.appErrors]).toEqual([[], []]);
  });

  test('lets next() of the middleware above resolve, and Koa leaves the response alone', async () => {
    const seen: unknown[] = [];
    const statuses: number[] = [];
    const { served } = await servePolls({
      above: [
        async (ctx, next) => {
          await next();
          seen.push([ctx.status, ctx.respond, ctx.res.headersSent]);
        },
      ],
    });
    served.manager.register('statuses', { afterCompletion: (held) => statuses.push(held.ctx.status) });
    const request = served.open('/x');
    await until(() => served.manager.held === 1);
    request.destroy();
    await until(() => seen.length > 0);
    expect(seen).toEqual([[499, false, false]]);
    expect(statuses).toEqual([499]);
  });

  test('holds no response for a client that has gone before the handler returned', async () => {
    let letGo = (): void => {};
    const completions: string[] = [];
    const served = await serve(async (ctx) => {
      const result = new DeferredResult();
      result.onCompletion(() => completions.push('completed'));
      await new Promise<void>((resolve) => (letGo = resolve));
      expect(ctx.res.destroyed).toBe(true);
      return result;
    });
    const request = served.open('/x');
    await until(() => served.contexts.length === 1);
    request.destroy();
    await until(() => served.contexts[0]!.res.destroyed);
    letGo();
    await until(() => completions.length === 1);
    expect([served.manager.held, served.manager.timers, served.faults]).toEqual([0, 0, []]);
  });

  test('releases a pipelined request, which has no socket yet, with its connection', async () => {
    const { served, registry, endings } = await servePolls();
    const socket = net.connect(served.port, '127.0.0.1');
    for (const path of ['/a', '/b', '/c']) socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await until(() => served.manager.held === 3);
    socket.destroy();
    await until(() => endings.length === 3);
    expect(endings).toEqual(['disconnect', 'disconnect', 'disconnect']);
    expect([registry.size, served.manager.held, served.manager.timers]).toEqual([0, 0, 0]);
  });

  test('answers pipelined requests in their order, even if they are resolved in another order', async () => {
    const { served, registry, endings } = await servePolls();
    const socket = net.connect(served.port, '127.0.0.1');
    let received = '';
    socket.on('data', (chunk) => (received += chunk.toString()));
    for (const path of ['/a', '/b']) socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await until(() => served.manager.held === 2);
    registry.wake('/b', 'second');
    registry.wake('/a', 'first');
    await until(() => endings.length === 2);
    expect(received.indexOf('first')).toBeLessThan(received.indexOf('second'));
    expect(endings).toEqual(['value', 'value']);
    socket.destroy();
  });

  test('shows errors to interceptors, and keeps the original unless one sets a result', async () => {
    const { served } = await servePolls();
    const observed: unknown[] = [];
    served.manager.register('throws', {
      handleError() {
        throw new Error('broken hook');
      },
    });
    served.manager.register('observer', { handleError: (_held, error) => void observed.push(error) });
    const original = Object.assign(new Error('original'), { status: 403, expose: true });
    const answer = served.get('/x');
    await until(() => served.manager.held === 1);
    heldOf(served.contexts[0]!)?.fail(original);
    expect(await answer).toMatchObject({ status: 403, body: 'original' });
    expect(observed).toEqual([original]);
    expect(served.faults).toEqual([{ error: new Error('broken hook'), where: 'handleError' }]);
  });

  test('is replaced by an interceptor that sets a result, and later interceptors still observe it', async () => {
    const { served } = await servePolls();
    const observed: unknown[] = [];
    served.manager.register('sets', { handleError: (held) => void held.result.setResult('kept') });
    served.manager.register('observer', { handleError: (_held, error) => void observed.push(error) });
    const answer = served.get('/x');
    await until(() => served.manager.held === 1);
    heldOf(served.contexts[0]!)?.fail(new Error('original'));
    expect(await answer).toMatchObject({ status: 200, body: 'kept' });
    expect(observed).toEqual([new Error('original')]);
  });

  test('writes nothing after a write failure', async () => {
    const { served, registry, endings } = await servePolls();
    const unusable: boolean[] = [];
    served.manager.register('usable', { afterCompletion: (held) => unusable.push(held.isUnusable) });
    const request = served.open('/x');
    request.on('response', () => {
      broken.destroy(new Error('disk gone'));
    });
    const broken = new Readable({ read() {} });
    broken.push('first half');
    await until(() => served.manager.held === 1);
    registry.wake('/x', broken);
    await until(() => endings.length > 0);
    const { res } = served.contexts[0]!;
    expect([res.destroyed, res.writableFinished]).toEqual([true, false]);
    expect(unusable).toEqual([true]);
    expect(endings).toEqual(['value']);
    expect(broken.destroyed).toBe(true);
    expect([registry.size, served.manager.held]).toEqual([0, 0]);
  });

  test('is an error, not a disconnect, if the application destroys the held response', async () => {
    const { served, results, endings } = await servePolls();
    served.open('/x');
    await until(() => served.manager.held === 1);
    const failure = new Error('torn down');
    served.contexts[0]!.res.destroy(failure);
    await until(() => endings.length > 0);
    expect(endings).toEqual(['error']);
    expect(results[0]?.getResult()).toBe(failure);
    await until(() => served.appErrors.length > 0);
    expect(served.appErrors).toContain(failure);
    expect(served.contexts[0]!.res.headersSent).toBe(false);
  });

  test('ends the wait without a result if other code writes the response', async () => {
    const { served, results, endings, registry } = await servePolls();
    const answer = served.get('/x');
    await until(() => served.manager.held === 1);
    served.contexts[0]!.res.end('past you');
    expect((await answer).body).toBe('past you');
    await until(() => endings.length > 0);
    expect(endings).toEqual(['value']);
    expect([results[0]?.hasResult(), results[0]?.isSetOrExpired(), registry.size]).toEqual([false, true, 0]);
    expect([served.faults, served.appErrors]).toEqual([[], []]);
  });
});
