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
  const heard = once(client, 'data');
  client.write(text);
  return String((await heard)[0]);
}

describe('a link', () => {
  test('passes on what it gets, both ways', async () => {
    expect(await echoOf(open(), 'word')).toBe('word');
  });

  test('ends every connection where it is cut, and new ones until it is mended', async () => {
    const client = open();
    await echoOf(client, 'word');
    const ended = once(client, 'close');
    link.cut();
    await ended;
    await once(open(), 'close');
    link.mend();
    expect(await echoOf(open(), 'again')).toBe('again');
  });

  test('cuts by itself once so many bytes have gone to the other end', async () => {
    const client = open();
    await echoOf(client, 'before');
    const ended = once(client, 'close');
    const isCut = new Promise<void>((resolve) => link.cutAfter(15, resolve));
    // What comes back does not count.
    for (let count = 0; count < 2; count += 1) expect(await echoOf(client, '1234567')).toBe('1234567');
    client.write('8');
    await Promise.all([isCut, ended]);
    await once(open(), 'close');
    link.mend();
    expect(await echoOf(open(), 'more than fifteen')).toBe('more than fifteen');
  });

  test('leads new connections where it is told to, to a unix socket too, and keeps those it has', async () => {
    const early = open();
    await echoOf(early, 'word');
    const directory = await mkdtemp(join(tmpdir(), 'du-link-'));
    const path = join(directory, 'socket');
    const other = createServer((socket) => void socket.on('error', () => undefined).end('other')).listen(path);
    try {
      await once(other, 'listening');
      link.retarget(path);
      const [heard] = await once(open(), 'data');
      expect([String(heard), await echoOf(early, 'word')]).toEqual(['other', 'word']);
    } finally {
      await new Promise((resolve) => other.close(resolve));
      await rm(directory, { recursive: true });
    }
  });

  test('keeps back what comes while it is silent, and passes it on when it is mended', async () => {
    const [early, late] = [open(), open()];
    await echoOf(early, 'word');
    link.silence();
    let heard = '';
    for (const client of [early, late]) client.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    early.write('1');
    late.write('1');
    // What passes the server itself comes sooner than anything that the link would have let through.
    const other = await Link.open(url);
    const passing = connect(other.port, '127.0.0.1');
    expect(await echoOf(passing, 'other')).toBe('other');
    passing.destroy();
    await other.close();
    expect(heard).toBe('');
    link.mend();
    await eventually('both bytes', () => heard.length >= 2);
    expect(heard).toBe('11');
  });

  test('that leads nowhere ends what comes', async () => {
    const loose = await Link.open();
    await once(
      connect(loose.port, '127.0.0.1').on('error', () => undefined),
      'close',
    );
    await loose.close();
  });
});
