import { afterEach, describe, expect, test } from '@jest/globals';
import net from 'node:net';
import { DeferredManager } from '../../../src/deferred/deferred-manager.ts';
import { DeferredResult } from '../../../src/deferred/deferred-result.ts';
import { deferredMiddleware } from '../../../src/deferred/middleware.ts';
import { Registry } from '../../../src/deferred/registry.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeExchange } from './fake-exchange.ts';
import { closeServers, serve, settle, until } from './serve.ts';

afterEach(closeServers);

const failOnFault = (error: unknown): never => {
  throw error;
};

describe('bounds', () => {
  test('reject a response above maxHeld with 503 and Retry-After, and keep nothing of it', async () => {
    const registry = new Registry<string>({ onFault: failOnFault });
    const served = await serve(
      (ctx) => {
        const result = new DeferredResult<string>();
        return result.onCompletion(registry.register([ctx.path], () => result.setResult('woken')));
      },
      { maxHeld: 2, retryAfterMs: 3000, random: () => 0.5 },
    );
    const answers = [served.get('/a'), served.get('/b')];
    await until(() => served.manager.held === 2);
    const refused = await served.get('/c');
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '5']);
    expect(served.appErrors).toEqual([expect.objectContaining({ code: 'too_many_held', retryAfterMs: 4500 })]);
    expect([served.manager.held, registry.size, registry.has('/c')]).toEqual([2, 2, false]);
    registry.wake('/a', '');
    const retried = served.get('/c');
    await until(() => registry.has('/c'));
    registry.wakeAll();
    expect((await Promise.all([...answers, retried])).map(({ body }) => body)).toEqual(['woken', 'woken', 'woken']);
    expect([served.manager.held, registry.size]).toEqual([0, 0]);
  });

  test('answer a result that must not fail at once with its timeout value above maxHeld', async () => {
    let refusals = 0;
    const results: DeferredResult[] = [];
    const served = await serve(
      (ctx) => {
        const mayFail = ctx.path === '/first';
        const notHeld = mayFail ? {} : { notHeld: () => void (refusals += 1) };
        const result = new DeferredResult({ timeoutMs: 60_000, timeoutResult: () => 'as it stands', ...notHeld });
        results.push(result);
        return result;
      },
      { maxHeld: 1 },
    );
    const first = served.get('/first');
    await until(() => served.manager.held === 1);
    const second = await served.get('/second');
    expect([second.status, second.body, refusals, served.manager.held]).toEqual([200, 'as it stands', 1, 1]);
    expect(served.appErrors).toEqual([]);
    for (const result of results) result.setResult('value');
    expect((await first).body).toBe('value');
  });

  test('reject an address above maxHeldPerAddress with 429, but no other address', async () => {
    const results: DeferredResult[] = [];
    const served = await serve(
      () => {
        const result = new DeferredResult();
        results.push(result);
        return result;
      },
      { maxHeldPerAddress: 1, addressOf: (ctx) => String(ctx.query.from) },
    );
    const answers = [served.get('/?from=a'), served.get('/?from=b')];
    await until(() => served.manager.held === 2);
    const refused = await served.get('/?from=a');
    expect([refused.status, Number(refused.headers['retry-after']) >= 2]).toEqual([429, true]);
    expect(served.appErrors).toEqual([expect.objectContaining({ code: 'too_many_held_by_address' })]);
    for (const result of results) result.setResult('value');
    await Promise.all(answers);
    const again = served.get('/?from=a');
    await until(() => served.manager.held === 1);
    results.at(-1)?.setResult('value');
    expect((await again).status).toBe(200);
  });

  test('hold only the allowed number of 10,000 polls, with few timers, and release all in one burst', async () => {
    const clock = new FakeClock();
    const registry = new Registry<string>({ onFault: failOnFault });
    const manager = new DeferredManager({ clock, maxHeld: 6000, reportFault: failOnFault });
    const middleware = deferredMiddleware(manager);
    const exchanges = Array.from({ length: 10_000 }, (_, index) => {
      const exchange = new FakeExchange();
      exchange.run(middleware, () => {
        const result = new DeferredResult<string>();
        return result.onCompletion(
          registry.register([`upload ${index}`, 'all'], (event) => result.setResult(event ?? '')),
        );
      });
      return exchange;
    });
    await until(() => exchanges.filter((exchange) => exchange.answers > 0).length === 4000);
    expect([manager.held, registry.size]).toEqual([6000, 6000]);
    expect(clock.timers).toBeLessThan(100);
    registry.wake('all', 'value');
    expect(manager.held).toBe(0);
    await until(() => registry.size === 0);
    expect(exchanges.every((exchange) => exchange.answers === 1)).toBe(true);
    expect([manager.timers, clock.timers]).toEqual([0, 0]);
  });
});

describe('drain', () => {
  test('answers held and later responses at once with their timeout value and Connection: close', async () => {
    const served = await serve((ctx) => {
      if (ctx.path === '/set') return DeferredResult.from(Promise.resolve('set'));
      if (ctx.path === '/bare') return new DeferredResult({ timeoutMs: 60_000 });
      return new DeferredResult({ timeoutMs: 60_000, timeoutResult: () => Promise.resolve(`fallback of ${ctx.path}`) });
    });
    const answers = ['/a', '/b', '/bare'].map((path) => served.get(path));
    await until(() => served.manager.held === 3);
    const drained = served.manager.drain();
    expect([served.manager.isDraining, served.manager.drain()]).toEqual([true, drained]);
    await drained;
    expect([served.manager.held, served.manager.timers]).toEqual([0, 0]);
    const [a, b, bare] = await Promise.all(answers);
    expect([a, b].map((answer) => [answer?.status, answer?.body])).toEqual([
      [200, 'fallback of /a'],
      [200, 'fallback of /b'],
    ]);
    expect([bare?.status, bare?.headers['retry-after']]).toEqual([503, expect.any(String)]);
    const later = await served.get('/later');
    expect([later.status, later.body, later.headers['connection']]).toEqual([200, 'fallback of /later', 'close']);
    expect((await served.get('/bare')).status).toBe(503);
    expect(served.appErrors.map((error) => (error as { code: string }).code)).toEqual([
      'shutting_down',
      'shutting_down',
    ]);
  });

  test('sends Connection: close on keep-alive connections, for held and later responses', async () => {
    const served = await serve(() => new DeferredResult({ timeoutResult: 'fallback' }));
    const sockets = [net.connect(served.port, '127.0.0.1'), net.connect(served.port, '127.0.0.1')];
    const received = ['', ''];
    sockets.forEach((socket, index) => socket.on('data', (chunk) => (received[index] += chunk.toString())));
    const ended = sockets.map((socket) => new Promise((resolve) => socket.on('end', resolve)));
    sockets[0]?.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until(() => served.manager.held === 1);
    await served.manager.drain();
    sockets[1]?.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await Promise.all(ended);
    expect(received[0]).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*Connection: close\r\n[^]*fallback$/);
    expect(received[1]).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*Connection: close\r\n[^]*fallback$/);
  });

  test('gives up a supplier that does not end, and ends within its second', async () => {
    const clock = new FakeClock();
    const served = await serve(() => new DeferredResult({ timeoutResult: () => new Promise(() => {}) }), { clock });
    const answer = served.get('/');
    await until(() => served.manager.held === 1);
    let isDrained = false;
    void served.manager.drain().then(() => (isDrained = true));
    clock.advance(390);
    expect(served.manager.held).toBe(1);
    clock.advance(40);
    expect(served.manager.held).toBe(0);
    expect((await answer).status).toBe(503);
    await until(() => isDrained);
    expect(clock.timers).toBe(0);
  });

  test('ends although a client reads nothing', async () => {
    const clock = new FakeClock();
    const served = await serve(() => new DeferredResult({ timeoutResult: Buffer.alloc(64 * 1024 * 1024) }), { clock });
    const socket = net.connect(served.port, '127.0.0.1');
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until(() => served.manager.held === 1);
    let isDrained = false;
    void served.manager.drain().then(() => (isDrained = true));
    await settle();
    expect([served.manager.held, isDrained]).toEqual([0, false]);
    clock.advance(1000);
    await settle();
    expect([isDrained, clock.timers]).toEqual([true, 0]);
    socket.destroy();
  });

  test('ends at once if nothing is held', async () => {
    const clock = new FakeClock();
    const manager = new DeferredManager({ clock, reportFault: failOnFault });
    await manager.drain();
    expect(clock.timers).toBe(0);
  });
});
