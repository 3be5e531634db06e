import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { json } from 'node:stream/consumers';
import type { Progress, Upload } from '../../src/wire/documents.ts';
import { makeCertificates, type Certificates } from '../helpers/certificates.ts';
import { eventually } from '../helpers/eventually.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { isInstalled, PROXIES, startProxy } from '../helpers/proxy.ts';
import type { ServiceProcess } from '../helpers/service.ts';
import { sharedService } from '../helpers/shared-service.ts';

const NAME = 'uploads.example';
const ROW = 'a row of the table,1234567890,2026-03-14\n';
const FILE = Buffer.from(`text,number,day\n${ROW.repeat(Math.ceil((20 * 1024 * 1024) / ROW.length))}`);

describe('an upload of 20 MB through a proxy with TLS', () => {
  let api: ServiceProcess;
  let certificates: Certificates;

  beforeAll(async () => {
    certificates = makeCertificates();
    // The process accepts the name only if the proxy passes `Host` on.
    api = await (await sharedService()).addApi({ ALLOWED_HOSTS: NAME, TRUSTED_PROXIES: '127.0.0.1' });
  });
  afterAll(async () => {
    await api.end();
    certificates.remove();
  });

  for (const name of PROXIES) {
    const testIfInstalled = isInstalled(name) ? test : test.skip;

    testIfInstalled(`of ${name} shows progress, events and held answers while it is sent`, async () => {
      const proxy = await startProxy(name, api.url, certificates);
      try {
        await sendThrough(proxy.port);
      } finally {
        await proxy.stop();
      }
    });
  }
});

async function sendThrough(port: number): Promise<void> {
  const id = randomUUID();
  const ask = (path: string, method = 'GET', headers: Record<string, string | number> = {}): ClientRequest =>
    request({
      host: '127.0.0.1',
      port,
      path,
      method,
      servername: NAME,
      rejectUnauthorized: false,
      headers: { Host: NAME, ...headers },
    });
  await eventually('the proxy to find the service', async () => (await answerOf(ask('/healthz'))).statusCode === 200);

  // The poll is held until the upload begins.
  const held = answerOf(ask(`/uploads/${id}/progress?since=0&timeout=${LONG_HOLD_MS}`));
  const put = ask(`/uploads/${id}?timeout=${LONG_HOLD_MS}`, 'PUT', { 'Content-Length': FILE.length });
  const sent = responseOf(put);
  const half = FILE.subarray(0, FILE.length / 2);
  put.write(half);
  expect(((await json(await held)) as Progress).id).toBe(id);

  const progress = await eventually('most of the first half to be received', async () => {
    const answer = await answerOf(ask(`/uploads/${id}/progress`));
    const body = (await json(answer)) as Progress;
    return (body.bytes?.received ?? 0) > half.length * 0.9 ? body : undefined;
  });
  expect([progress.state, progress.bytes.total]).toEqual(['receiving', FILE.length]);

  const events = await answerOf(ask(`/uploads/${id}/events`));
  let text = '';
  events.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const ended = once(events, 'end');
  await eventually('the first event', () => text.includes('"state":"receiving"'));

  put.end(FILE.subarray(half.length));
  const upload = (await json(await sent)) as Upload;
  expect([upload.state, upload.file.size]).toEqual(['completed', FILE.length]);
  await ended;
  expect(text).toContain('"final":true');
}

async function answerOf(sent: ClientRequest): Promise<IncomingMessage> {
  sent.end();
  return await responseOf(sent);
}

async function responseOf(sent: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return response;
}
