import { expect, jest, test } from '@jest/globals';
import { once } from 'node:events';
import { Server } from 'node:net';
import { descriptorLimit, maxConnectionsOf } from '../../../src/server/descriptors.ts';
import { openHttpServer, urlOf } from '../../../src/server/http-server.ts';

test('a server keeps idle connections open for longer than Caddy, which closes them after 120 s', async () => {
  const server = await openHttpServer(() => undefined, { host: '127.0.0.1', port: 0, httpMaxHeaderBytes: 16_384 });
  const closed = once(server, 'close');
  server.close();
  await closed;
  expect(server.keepAliveTimeout).toBeGreaterThan(120_000);
});

test('a server lets 4096 clients connect before it takes their connections', async () => {
  const listen = jest.spyOn(Server.prototype, 'listen');
  const server = await openHttpServer(() => undefined, { host: '127.0.0.1', port: 0, httpMaxHeaderBytes: 16_384 });
  try {
    expect(listen.mock.calls[0]?.[0]).toMatchObject({ host: '127.0.0.1', port: 0, backlog: 4096 });
  } finally {
    listen.mockRestore();
    const closed = once(server, 'close');
    server.close();
    await closed;
  }
});

test('a server takes no more connections than the limit of open files allows', async () => {
  const server = await openHttpServer(() => undefined, { host: '127.0.0.1', port: 0, httpMaxHeaderBytes: 16_384 });
  const closed = once(server, 'close');
  server.close();
  await closed;
  expect(server.maxConnections).toBe(maxConnectionsOf(descriptorLimit()));
});

test.each([
  ['0.0.0.0', /^http:\/\/0\.0\.0\.0:\d+$/],
  ['127.0.0.1', /^http:\/\/127\.0\.0\.1:\d+$/],
])('the address of a server on %s is announced as it is, never as localhost', async (host, url) => {
  const server = await openHttpServer(() => undefined, { host, port: 0, httpMaxHeaderBytes: 16_384 });
  const closed = once(server, 'close');
  try {
    expect(urlOf(server)).toMatch(url);
  } finally {
    server.close();
    await closed;
  }
});
