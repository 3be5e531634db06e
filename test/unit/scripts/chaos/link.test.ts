import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Link } from '../../../../scripts/chaos/fleet/link.ts';
import { listen } from '../../../helpers/listen.ts';
import { eventually } from '../../../helpers/eventually.ts';

let server: Server;
let url: string;
let link: Link;
const clients: Socket[] = [];

beforeEach(async () => {
  server = createServer((socket) => void socket.on('error', () => undefined).pipe(socket));
  url = `http://127.0.0.1:${await listen(server)}`;
  link = await Link.open(url);
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await link.close();
  await new Promise((resolve) => server.close(resolve));
});

function open(): Socket {
  const client = connect(link.port, '127.0.0.1').on('error', () => undefined);
  clients.push(client);
  return client;
}

async function echoOf(client: Socket, text: string): Promise<string> {
  const received = once(client, 'data');
  client.write(text);
  return String((await received)[0]);
}

describe('Link', () => {
  test('forwards bytes in both directions', async () => {
    expect(await echoOf(open(), 'word')).toBe('word');
  });

  test('closes every connection when it is cut, and new ones until it is repaired', async () => {
    const client = open();
    await echoOf(client, 'word');
    const ended = once(client, 'close');
    link.cut();
    await ended;
    await once(open(), 'close');
    link.repair();
    expect(await echoOf(open(), 'again')).toBe('again');
  });

  test('cuts itself after a given number of bytes', async () => {
    const client = open();
    await echoOf(client, 'before');
    const ended = once(client, 'close');
    const isCut = new Promise<void>((resolve) => link.cutAfter(15, resolve));
    // Bytes from the target do not count.
    for (let count = 0; count < 2; count += 1) expect(await echoOf(client, '1234567')).toBe('1234567');
    client.write('8');
    await Promise.all([isCut, ended]);
    await once(open(), 'close');
    link.repair();
    expect(await echoOf(open(), 'more than fifteen')).toBe('more than fifteen');
  });

  test('leads new connections to a new target, also a unix socket, and keeps existing ones', async () => {
    const early = open();
    await echoOf(early, 'word');
    const directory = await mkdtemp(join(tmpdir(), 'du-link-'));
    const path = join(directory, 'socket');
    const other = createServer((socket) => void socket.on('error', () => undefined).end('other')).listen(path);
    try {
      await once(other, 'listening');
      link.retarget(path);
      const [received] = await once(open(), 'data');
      expect([String(received), await echoOf(early, 'word')]).toEqual(['other', 'word']);
    } finally {
      await new Promise((resolve) => other.close(resolve));
      await rm(directory, { recursive: true });
    }
  });

  test('holds bytes back while it is silent, and forwards them after its repair', async () => {
    const [early, late] = [open(), open()];
    await echoOf(early, 'word');
    link.silence();
    let received = '';
    for (const client of [early, late]) client.on('data', (chunk: Buffer) => (received += chunk.toString()));
    early.write('1');
    late.write('1');
    // An answer that bypasses the link arrives earlier than anything that the link would have let through.
    const other = await Link.open(url);
    const passing = connect(other.port, '127.0.0.1');
    expect(await echoOf(passing, 'other')).toBe('other');
    passing.destroy();
    await other.close();
    expect(received).toBe('');
    link.repair();
    await eventually('both bytes', () => received.length >= 2);
    expect(received).toBe('11');
  });

  test('closes connections if it has no target', async () => {
    const loose = await Link.open();
    await once(
      connect(loose.port, '127.0.0.1').on('error', () => undefined),
      'close',
    );
    await loose.close();
  });
});
