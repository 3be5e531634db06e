import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { closeLingering, isLingering } from '../../../src/compat/lingering-close.ts';
import { listen } from '../../helpers/listen.ts';

let server: Server;
let client: Socket;
/** The server's side of the connection, which has read nothing yet. */
let socket: Socket;

beforeEach(async () => {
  server = createServer({ allowHalfOpen: true });
  client = connect(await listen(server), '127.0.0.1').pause();
  [[socket]] = (await Promise.all([once(server, 'connection'), once(client, 'connect')])) as [[Socket], unknown];
});
afterEach(async () => {
  client.destroy();
  socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

/** Returns what the client reads from now on, and how the connection ends. */
async function readToEnd(): Promise<string> {
  let text = '';
  client.on('data', (chunk: Buffer) => (text += chunk.toString())).resume();
  return await new Promise((resolve) => {
    client.once('end', () => resolve(`${text}, then the end`));
    client.once('error', (error: Error & { code?: string }) => resolve(`${text}, then ${error.code}`));
  });
}

describe('lingering close of a connection', () => {
  test('delivers the last bytes to a client that is still sending', async () => {
    client.write(Buffer.alloc(100_000));
    closeLingering(socket, 'the answer');
    for (let round = 0; round < 20; round++) if (!client.write(Buffer.alloc(100_000))) await once(client, 'drain');
    expect(await readToEnd()).toBe('the answer, then the end');
  });

  test('ends as soon as the client has closed its side', async () => {
    socket.on('error', () => undefined);
    closeLingering(socket, 'the answer', 2 ** 31 - 1);
    expect(isLingering(socket)).toBe(true);
    client.end('bye');
    await once(socket, 'close');
  });

  test('cuts the connection if the client never closes its side', async () => {
    closeLingering(socket, '', 10);
    closeLingering(socket, 'too late', 2 ** 31 - 1);
    await once(socket, 'close');
    expect(socket.readableEnded).toBe(false);
  });
});

test('this patch is still needed: Node destroys a connection whose client is still sending', async () => {
  const http = createHttpServer((_request, response) => response.writeHead(413, { Connection: 'close' }).end());
  const sender = connect(await listen(http), '127.0.0.1').on('error', () => undefined);
  const [[accepted]] = (await Promise.all([once(http, 'connection'), once(sender, 'connect')])) as [[Socket], unknown];
  const closed = once(accepted, 'close');
  sender.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf');
  await closed;
  // The client has not ended its side, so a lingering close would still read.
  expect(accepted.readableEnded).toBe(false);
  sender.destroy();
  await new Promise((resolve) => http.close(resolve));
});
