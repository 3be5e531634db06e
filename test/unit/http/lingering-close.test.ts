import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { closeLingering, isLingering } from '../../../src/http/lingering-close.ts';
import { listen } from '../../helpers/listen.ts';

let server: Server;
let client: Socket;
/** Our side of the connection, which has read nothing yet. */
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

/** What the other side reads from now on, and how that ends. */
async function readToEnd(): Promise<string> {
  let text = '';
  client.on('data', (chunk: Buffer) => (text += chunk.toString())).resume();
  return await new Promise((resolve) => {
    client.once('end', () => resolve(`${text}, then the end`));
    client.once('error', (error: Error & { code?: string }) => resolve(`${text}, then ${error.code}`));
  });
}

describe('a connection that is closed while the other side is sending', () => {
  test('gives it the last bytes, however late it reads them', async () => {
    client.write(Buffer.alloc(100_000));
    closeLingering(socket, 'the answer');
    for (let round = 0; round < 20; round++) if (!client.write(Buffer.alloc(100_000))) await once(client, 'drain');
    expect(await readToEnd()).toBe('the answer, then the end');
  });

  test('is gone as soon as the other side has closed too', async () => {
    socket.on('error', () => undefined);
    closeLingering(socket, 'the answer', 2 ** 31 - 1);
    expect(isLingering(socket)).toBe(true);
    client.end('bye');
    await once(socket, 'close');
  });

  test('is cut where the other side never closes', async () => {
    closeLingering(socket, '', 10);
    closeLingering(socket, 'too late', 2 ** 31 - 1);
    await once(socket, 'close');
    expect(socket.readableEnded).toBe(false);
  });
});
