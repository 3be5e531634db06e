import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { PublicAddresses } from '../../../../src/http/public-address.ts';
import { postWebhook, type WebhookAnswer } from '../../../../workers/webhooks/post-webhook.ts';
import { makeCertificates, type Certificates } from '../../../helpers/certificates.ts';
import { compiled } from '../../../helpers/compiled.ts';
import { listen } from '../../../helpers/listen.ts';
import { patienceMs } from '../../../helpers/patience.ts';

const MIB = 1024 * 1024;

/** A limit that is long enough for every answer. */
const LIMIT_MS = patienceMs(5_000);

const moduleUrl = (source: string): string => pathToFileURL(compiled(source)).href;

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server) (server as ReturnType<typeof createServer>).closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

async function serve(listener: RequestListener, server: Server = createServer(listener)): Promise<number> {
  servers.push(server);
  return await listen(server);
}

/** A resolver for which the name `hook.example` belongs to this machine. */
const local = new PublicAddresses(['127.0.0.1'], async () => [{ address: '127.0.0.1', family: 4 }]);

async function post(url: string, { addresses = local, limitMs = LIMIT_MS } = {}): Promise<WebhookAnswer> {
  const { signal } = new AbortController();
  return await postWebhook({ url, headers: { 'x-test': '1' }, body: '{"é":1}' }, { addresses, signal, limitMs });
}

describe('a webhook request', () => {
  test('is a POST with the whole body and the name of the host', async () => {
    const seen: unknown[] = [];
    const port = await serve((request, response) => {
      void text(request).then((body) => {
        seen.push(request.method, request.url, request.headers.host, request.headers['x-test'], body);
        response.writeHead(204).end();
      });
    });
    expect((await post(`http://hook.example:${port}/hooks?a=1`)).status).toBe(204);
    expect(seen).toEqual(['POST', '/hooks?a=1', `hook.example:${port}`, '1', '{"é":1}']);
  });

  test('does not follow a redirect to a private address', async () => {
    const paths: (string | undefined)[] = [];
    const port = await serve((request, response) => {
      paths.push(request.url);
      response.writeHead(307, { Location: `http://127.0.0.1:${port}/private` }).end();
    });
    expect((await post(`http://hook.example:${port}/hooks`)).status).toBe(307);
    expect(paths).toEqual(['/hooks']);
  });

  test('is not sent to a host that resolves to 127.0.0.1', async () => {
    let requests = 0;
    const port = await serve((_, response) => {
      requests += 1;
      response.end();
    });
    const addresses = new PublicAddresses([], async () => [{ address: '127.0.0.1', family: 4 }]);
    await expect(post(`http://hook.example:${port}/`, { addresses })).rejects.toThrow(/^address refused/);
    await expect(post(`http://127.0.0.1:${port}/`, { addresses })).rejects.toThrow(/^address refused/);
    await expect(post(`http://localhost:${port}/`, { addresses })).rejects.toThrow(/^address refused/);
    expect(requests).toBe(0);
  });

  test('is refused if the host changes its address to a private one between two tries', async () => {
    const answers = ['127.0.0.2', '127.0.0.1'];
    const port = await serve((_, response) => response.end());
    const addresses = new PublicAddresses(['127.0.0.1'], async () => [{ address: answers.pop() ?? '', family: 4 }]);
    expect((await post(`http://hook.example:${port}/`, { addresses })).status).toBe(200);
    await expect(post(`http://hook.example:${port}/`, { addresses })).rejects.toThrow(/^address refused/);
  });

  test('resolves the host once', async () => {
    let lookups = 0;
    const port = await serve((_, response) => response.end());
    const addresses = new PublicAddresses(['127.0.0.1'], async () => {
      lookups += 1;
      return [{ address: lookups === 1 ? '127.0.0.1' : '127.0.0.9', family: 4 }];
    });
    await post(`http://hook.example:${port}/`, { addresses });
    expect(lookups).toBe(1);
  });

  test('ends when the endpoint hangs', async () => {
    const port = await serve(() => undefined);
    await expect(post(`http://hook.example:${port}/`, { limitMs: 50 })).rejects.toThrow('no answer within 0.05 s');
  });

  test('ends when the name server hangs', async () => {
    const addresses = new PublicAddresses([], () => new Promise(() => undefined));
    await expect(post('http://hook.example/', { addresses, limitMs: 50 })).rejects.toThrow('no answer within 0.05 s');
  });

  test('ends when the endpoint sends its headers byte by byte', async () => {
    let timer: NodeJS.Timeout | undefined;
    const port = await serve((request) => {
      const bytes = Array.from('HTTP/1.1 200 OK\r\nX-Long: '.padEnd(2000, 'x'));
      timer = setInterval(() => request.socket.write(bytes.shift() ?? 'x'), 5);
    });
    try {
      await expect(post(`http://hook.example:${port}/`, { limitMs: 200 })).rejects.toThrow('no answer within 0.2 s');
    } finally {
      clearInterval(timer);
    }
  });

  test('does not wait for the end of a body that comes byte by byte', async () => {
    let timer: NodeJS.Timeout | undefined;
    const port = await serve((_, response) => {
      response.writeHead(200);
      timer = setInterval(() => response.write('x'), 5);
    });
    try {
      expect((await post(`http://hook.example:${port}/`)).status).toBe(200);
    } finally {
      clearInterval(timer);
    }
  });

  test('reads only the beginning of an answer of 1 GB', async () => {
    let sentBytes = 0;
    const chunk = Buffer.alloc(MIB);
    const port = await serve((_, response) => {
      response.writeHead(200, { 'Content-Length': 1024 * MIB });
      const send = (): void => {
        while (sentBytes < 1024 * MIB && !response.destroyed) {
          sentBytes += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', send);
        }
      };
      send();
    });
    expect((await post(`http://hook.example:${port}/`)).status).toBe(200);
    expect(sentBytes).toBeLessThan(64 * MIB);
  });

  test('has no answer if the endpoint closes the connection', async () => {
    const port = await serve((request) => request.socket.destroy());
    await expect(post(`http://hook.example:${port}/`)).rejects.toThrow('no answer: ECONNRESET');
  });

  test('has no answer if nothing listens', async () => {
    const port = await serve(() => undefined);
    const [server] = servers.splice(0);
    server?.close();
    await once(server as Server, 'close');
    await expect(post(`http://hook.example:${port}/`)).rejects.toThrow('no answer: ECONNREFUSED');
  });

  test('reports the pause that the endpoint asks for', async () => {
    const port = await serve((_, response) => response.writeHead(503, { 'Retry-After': '7' }).end());
    expect(await post(`http://hook.example:${port}/`)).toEqual({ status: 503, retryAfterMs: 7000 });
  });
});

describe('a webhook request over TLS', () => {
  let certificates: Certificates;

  beforeAll(() => {
    certificates = makeCertificates();
  });
  afterAll(() => certificates.remove());

  test('is not sent if nobody trusted signed the certificate', async () => {
    let requests = 0;
    const key = readFileSync(certificates.key);
    const cert = readFileSync(certificates.cert);
    const server = createTlsServer({ key, cert }, (_, response) => {
      requests += 1;
      response.end();
    });
    const port = await serve(() => undefined, server);
    await expect(post(`https://localhost:${port}/`)).rejects.toThrow('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    expect(requests).toBe(0);
  });

  test('is not sent if a trusted certificate is for another name', async () => {
    const [key, cert] = [readFileSync(certificates.key), readFileSync(certificates.cert)];
    const hosts: (string | undefined)[] = [];
    const server = createTlsServer({ key, cert }, (request, response) => {
      hosts.push(request.headers.host);
      response.end();
    });
    const port = await serve(() => undefined, server);
    // Node reads the trusted authorities at its start, so another process sends the requests.
    const script = `
      import { PublicAddresses } from '${moduleUrl('src/http/public-address.ts')}';
      import { postWebhook } from '${moduleUrl('workers/webhooks/post-webhook.ts')}';
      const addresses = new PublicAddresses(['127.0.0.1'], async () => [{ address: '127.0.0.1', family: 4 }]);
      for (const host of ['localhost', 'hook.example']) {
        const webhook = { url: 'https://' + host + ':${port}/', headers: {}, body: '{}' };
        const options = { addresses, signal: new AbortController().signal, limitMs: ${LIMIT_MS} };
        console.log(await postWebhook(webhook, options).then((answer) => answer.status, (error) => error.message));
      }`;
    const env = { NODE_EXTRA_CA_CERTS: certificates.ca };
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env });
    expect(stdout.trim().split('\n')).toEqual(['200', 'no answer: ERR_TLS_CERT_ALTNAME_INVALID']);
    expect(hosts).toEqual([`localhost:${port}`]);
  });
});
