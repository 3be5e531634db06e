import '../../helpers/one-realm.ts';
import { afterEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import Koa, { type Middleware } from 'koa';
import { withOneFinishListener } from '../../../src/compat/finish-watch.ts';
import { listen } from '../../helpers/listen.ts';

let server: Server;

afterEach(async () => {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
});

async function serve(middleware: Middleware, before: (response: ServerResponse) => void = () => undefined) {
  const app = new Koa();
  app.silent = true;
  const handle = withOneFinishListener(app.use(middleware).callback());
  server = createServer((request, response) => {
    before(response);
    handle(request, response);
  });
  return await listen(server);
}

function listenersOf(response: ServerResponse): number[] {
  const { socket } = response;
  return [response.listenerCount('finish'), socket?.listenerCount('error') ?? 0, socket?.listenerCount('close') ?? 0];
}

describe('withOneFinishListener', () => {
  test('keeps Koa from listening to the response and its socket', async () => {
    const counts: number[][] = [];
    const count = (response: ServerResponse) => counts.push(listenersOf(response));
    const port = await serve((ctx) => {
      count(ctx.res);
      ctx.body = 'x';
    }, count);
    await (await fetch(`http://127.0.0.1:${port}/`)).text();
    expect(counts[1]).toEqual(counts[0]);
  });

  test('destroys the stream of an answer if its client disconnects', async () => {
    const body = new Readable({ read: () => undefined });
    body.push('beginning');
    const port = await serve((ctx) => {
      ctx.body = body;
    });
    const client = connect(port, '127.0.0.1');
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(client, 'data');
    const closed = once(body, 'close');
    client.destroy();
    await closed;
    expect(body.destroyed).toBe(true);
  });

  test('keeps the watch of the application around an embedded service', async () => {
    const watch = { queue: [] };
    const port = await serve(
      (ctx) => {
        ctx.body = 'x';
      },
      (response) => Object.assign(response, { __onFinished: watch }),
    );
    await (await fetch(`http://127.0.0.1:${port}/`)).text();
    expect(watch.queue).toHaveLength(1);
  });
});
