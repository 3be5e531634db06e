import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import { ServiceError } from '../../../../src/errors.ts';
import { PublicAddresses, type HostAddress } from '../../../../src/http/public-address.ts';
import { importUrl, nameInUrl } from '../../../../src/roads/import/import-url.ts';
import { chunksOf, openSource } from '../../../../src/roads/import/open-source.ts';
import { listen } from '../../../helpers/listen.ts';
import { patienceMs } from '../../../helpers/patience.ts';

const STALL_MS = patienceMs(2_000);
const SHORT_STALL_MS = 50;

let server: Server;
let port: number;
let answer: RequestListener;
let asked: { url: string | undefined; headers: IncomingHttpHeaders }[];

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push({ url: request.url, headers: request.headers });
    answer(request, response);
  });
  port = await listen(server);
});
afterAll(async () => {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
});
beforeEach(() => {
  asked = [];
  answer = (_, response) => response.end('hello');
});

const LOOPBACK: HostAddress = { address: '127.0.0.1', family: 4 };
const OTHER_LOOPBACK: HostAddress = { address: '127.0.0.2', family: 4 };

/** Makes a name server. Only 127.0.0.1 is allowed. */
function addressesOf(hosts: Record<string, HostAddress[]>, lookups: string[] = []): PublicAddresses {
  return new PublicAddresses(['127.0.0.1'], async (host) => {
    lookups.push(host);
    const found = hosts[host];
    if (found === undefined) throw Object.assign(new Error('unknown'), { code: 'ENOTFOUND' });
    return found;
  });
}

const HOSTS = { 'files.example': [LOOPBACK], 'inner.example': [OTHER_LOOPBACK] };

async function fetchAll(url: string, { addresses = addressesOf(HOSTS), stallMs = STALL_MS } = {}): Promise<string> {
  const source = await openSource(url, { addresses, stallMs, signal: new AbortController().signal });
  let text = '';
  for await (const chunk of chunksOf(source, stallMs)) text += chunk.toString();
  return text;
}

async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    (value) => value,
    (error: unknown) => (error instanceof ServiceError ? error.code : error),
  );
}

const at = (path: string, host = 'files.example'): string => `http://${host}:${port}${path}`;

describe('the source of an import', () => {
  test('is read from the address that was checked, with no second lookup', async () => {
    const lookups: string[] = [];
    // The second answer of the name server would lead into the private network.
    const changing = { 'files.example': [LOOPBACK] };
    const addresses = addressesOf(changing, lookups);
    answer = (_, response) => {
      changing['files.example'] = [OTHER_LOOPBACK];
      response.end('hello');
    };
    expect(await fetchAll(at('/a.txt'), { addresses })).toBe('hello');
    expect(lookups).toEqual(['files.example']);
    expect(await codeOf(fetchAll(at('/a.txt'), { addresses }))).toBe('import_refused');
    expect(asked).toHaveLength(1);
  });

  test('gets no credentials, cookies or referrer', async () => {
    await fetchAll(at('/a.txt#secret'));
    expect(asked[0]?.url).toBe('/a.txt');
    expect(Object.keys(asked[0]?.headers ?? {}).sort()).toEqual([
      'accept',
      'accept-encoding',
      'connection',
      'host',
      'user-agent',
    ]);
  });

  test.each([
    ['file:///etc/passwd'],
    ['gopher://files.example/'],
    ['ftp://files.example/a'],
    ['data:text/plain,hello'],
    ['http://user:secret@files.example/'],
    ['http://inner.example/'],
    ['http://127.0.0.2/'],
    ['http://[::1]/'],
    ['http://169.254.169.254/latest/meta-data'],
    ['http://0x7f000002/'],
    ['nonsense'],
  ])('is refused at %s', async (url) => {
    expect(await codeOf(fetchAll(url))).toBe('import_refused');
    expect(asked).toEqual([]);
  });

  test.each([
    ['file:///etc/passwd'],
    ['http://inner.example/'],
    ['http://user:secret@files.example/'],
    ['//inner.example/a'],
  ])('is refused if it redirects to %s', async (location) => {
    answer = (_, response) => response.writeHead(302, { Location: location }).end();
    expect(await codeOf(fetchAll(at('/')))).toBe('import_refused');
    expect(asked).toHaveLength(1);
  });

  test('may redirect five times, also to a relative address, and not six times', async () => {
    answer = ({ url = '' }, response) => {
      const left = Number(url.slice(1));
      if (left === 0) response.end('there');
      else response.writeHead(307, { Location: `${left - 1}` }).end();
    };
    expect(await fetchAll(at('/5'))).toBe('there');
    expect(await codeOf(fetchAll(at('/6')))).toBe('import_refused');
  });

  test.each<[string, RequestListener]>([
    ['answers 404', (_, response) => response.writeHead(404).end('no')],
    ['answers with a part', (_, response) => response.writeHead(206).end('part')],
    ['redirects without an address', (_, response) => response.writeHead(302).end()],
    ['sends the file compressed', (_, response) => response.writeHead(200, { 'Content-Encoding': 'gzip' }).end('x')],
    ['closes the connection', (request) => request.socket.destroy()],
    [
      'announces more bytes than it sends',
      (request, response) => {
        response.writeHead(200, { 'Content-Length': '100' });
        response.write('ten bytes.', () => request.socket.destroy());
      },
    ],
  ])('fails if the server %s', async (_, listener) => {
    answer = listener;
    expect(await codeOf(fetchAll(at('/')))).toBe('import_failed');
  });

  test('fails if its host is unknown', async () => {
    expect(await codeOf(fetchAll('http://nowhere.example/'))).toBe('import_failed');
  });

  test.each<[string, RequestListener]>([
    ['does not answer', () => undefined],
    ['stops in the middle', (_, response) => void response.write('some')],
  ])('fails if the server %s', async (_, listener) => {
    answer = listener;
    expect(await codeOf(fetchAll(at('/'), { stallMs: SHORT_STALL_MS }))).toBe('import_failed');
  });

  test('does not count the time in which the reader writes', async () => {
    answer = (_, response) => response.end(Buffer.alloc(1_000_000));
    const stallMs = patienceMs(300);
    const limits = { addresses: addressesOf(HOSTS), stallMs, signal: new AbortController().signal };
    const source = await openSource(at('/'), limits);
    let bytes = 0;
    for await (const chunk of chunksOf(source, stallMs)) {
      if (bytes === 0) await new Promise((resolve) => setTimeout(resolve, 2 * stallMs));
      bytes += chunk.length;
    }
    expect(bytes).toBe(1_000_000);
  });
});

describe('the name of an imported file', () => {
  test.each([
    ['https://files.example/a%20b.jpg?x=1', 'a b.jpg'],
    ['https://files.example/a/', ''],
    ['https://files.example/%ff.jpg', '%ff.jpg'],
  ])('of %s is "%s"', (url, name) => {
    expect(nameInUrl(importUrl(url))).toBe(name);
  });
});
