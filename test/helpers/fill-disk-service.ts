import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { requestJson } from './client.ts';
import { expectNothingLeft } from './nothing-left.ts';
import { startProcess } from './service.ts';
import { createTus, offsetOf, patchTus } from './tus-requests.ts';

interface Answer {
  code?: string;
  state?: string;
}

/**
 * A program with a directory on a small disk and a Redis as arguments. It starts a service, sends files that do not fit
 * and one file that fits, and prints the answers and the files that are left.
 */
const [directory = '', redisUrl = ''] = process.argv.slice(2);
const env = {
  HOST: '127.0.0.1',
  PORT: '0',
  REDIS_URL: redisUrl,
  STORAGE: `file:${directory}`,
  STORAGE_RESERVE_BYTES: '0',
  LOG_LEVEL: 'warn',
};
const api = await startProcess(resolve('src/server/main.ts'), env);
const { url } = api;

const small = Buffer.alloc(100_000, 'not a picture at all ');
Buffer.from([0xff, 0xd8, 0xff, 0xe0]).copy(small);
const large = Buffer.concat([small, Buffer.alloc(4_000_000)]);

async function put(bytes: Buffer): Promise<string> {
  const { status, body } = await requestJson<Answer>(`${url}/uploads/${randomUUID()}`, {
    method: 'PUT',
    body: new Uint8Array(bytes),
  });
  return `${status} ${body.code ?? body.state}`;
}

async function post(...files: Buffer[]): Promise<string> {
  const form = new FormData();
  for (const bytes of files) form.append('file', new Blob([new Uint8Array(bytes)]), 'a.jpg');
  const { status, body } = await requestJson<Answer>(`${url}/uploads`, { method: 'POST', body: form });
  return `${status} ${body.code}`;
}

async function patch(bytes: Buffer): Promise<string> {
  const id = await createTus(url, { 'Upload-Length': String(bytes.length) });
  const { status, body } = await patchTus(url, id, 0, bytes);
  const left = await offsetOf(url, id);
  await requestJson(`${url}/uploads/${id}`, { method: 'DELETE' });
  return `${status} ${body?.code}, then ${left}`;
}

const answers = {
  put: await put(large),
  post: await post(small, large),
  patch: await patch(large),
  afterwards: await put(small),
};
const left = await expectNothingLeft({ apis: [api], redis: { url: redisUrl }, directory }).then(
  () => 'nothing',
  String,
);
await api.end();
process.stdout.write(JSON.stringify({ ...answers, left }));
