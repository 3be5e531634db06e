import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { serialChanges } from '../../../src/http/serial-changes.ts';
import { listen } from '../../helpers/listen.ts';
import { turnsUntil } from '../../helpers/turns-until.ts';

describe('requests that are sent without waiting for answers', () => {
  let server: Server;
  let socket: Socket;
  let arrived: number;
  /** The requests that were handled, in order, with their open responses. */
  let handled: [what: string, response: ServerResponse][];

  beforeEach(async () => {
    handled = [];
    const handle = serialChanges((request, response) => {
      request.resume();
      handled.push([`${request.method} ${request.url}`, response]);
    });
    server = createServer(handle);
    arrived = 0;
    server.on('request', () => (arrived += 1));
    socket = connect(await listen(server), '127.0.0.1');
    await once(socket, 'connect');
  });

  afterEach(async () => {
    socket.destroy();
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  });

  function send(...heads: string[]): void {
    socket.write(heads.map((head) => `${head} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`).join(''));
  }

  async function untilHandled(count: number): Promise<string[]> {
    await turnsUntil('the requests', () => handled.length >= count);
    return handled.map(([what]) => what);
  }

  function firstResponse(): ServerResponse {
    const [first] = handled;
    if (first === undefined) throw new Error('no request was handled');
    return first[1];
  }

  test('are handled one after the other if they follow a change', async () => {
    send('PUT /a', 'GET /a', 'DELETE /a', 'GET /a');
    await turnsUntil('all requests', () => arrived === 4);
    const whole = text(socket);
    expect(await untilHandled(1)).toEqual(['PUT /a']);
    firstResponse().end('1');
    expect(await untilHandled(2)).toEqual(['PUT /a', 'GET /a']);
    handled[1]?.[1].end('2');
    expect(await untilHandled(3)).toEqual(['PUT /a', 'GET /a', 'DELETE /a']);
    handled[2]?.[1].end('3');
    expect(await untilHandled(4)).toEqual(['PUT /a', 'GET /a', 'DELETE /a', 'GET /a']);
    handled[3]?.[1].setHeader('Connection', 'close').end('4');
    expect((await whole).match(/\r\n\r\n(?:1\r\n)?\d/g)).toHaveLength(4);
  });

  test('are handled beside each other if all of them only read', async () => {
    send('GET /a', 'HEAD /b', 'GET /c');
    expect(await untilHandled(3)).toEqual(['GET /a', 'HEAD /b', 'GET /c']);
  });

  test('are handled after all requests before them if they change something', async () => {
    send('GET /a', 'GET /b', 'DELETE /a');
    await turnsUntil('all requests', () => arrived === 3);
    expect(await untilHandled(2)).toEqual(['GET /a', 'GET /b']);
    firstResponse().end('1');
    await once(firstResponse(), 'close');
    expect(await untilHandled(2)).toEqual(['GET /a', 'GET /b']);
    handled[1]?.[1].end('2');
    expect(await untilHandled(3)).toEqual(['GET /a', 'GET /b', 'DELETE /a']);
  });

  test('end the connection if more than 32 of them wait', async () => {
    send('PUT /a', ...Array.from({ length: 32 }, () => 'GET /a'));
    await turnsUntil('the last request', () => arrived === 33);
    expect(socket.closed).toBe(false);
    const closed = once(socket, 'close');
    send('GET /a');
    await closed;
    expect(handled.map(([what]) => what)).toEqual(['PUT /a']);
  });

  test('are not handled if the client leaves before', async () => {
    send('PUT /a', 'GET /a');
    await turnsUntil('both requests', () => arrived === 2);
    const closed = once(firstResponse(), 'close');
    socket.destroy();
    await closed;
    expect(handled.map(([what]) => what)).toEqual(['PUT /a']);
  });
});
