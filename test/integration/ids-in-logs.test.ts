import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { uploadRef } from '../../src/telemetry/upload-ref.ts';
import type { Upload } from '../../src/wire/documents.ts';
import { putFile } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { photo } from '../helpers/pictures.ts';
import { startService, type Service } from '../helpers/service.ts';

let service: Service;
beforeAll(async () => {
  service = await startService({ env: { LOG_LEVEL: 'trace' } });
});
afterAll(async () => {
  await service.stop();
});

const TUS = { 'Tus-Resumable': '1.0.0' };

test('no log line of an API or worker process contains an upload id, only its hash', async () => {
  const [picture, refused, resumed] = [randomUUID(), randomUUID(), randomUUID()];
  const ask = async (path: string, init?: RequestInit) => await (await fetch(service.url + path, init)).arrayBuffer();
  await putFile<Upload>(service.url, picture, await photo({ width: 300, height: 200 }), 'a.jpg');
  await ask(`/uploads/${picture}/result?timeout=${LONG_HOLD_MS}`);
  await ask(`/uploads/${picture}/events`);
  await ask(`/progress?upload=${picture}~1&timeout=0`);
  await ask(`/uploads/${picture}/content`);
  await ask(`/uploads/${picture.toUpperCase()}`);
  await ask(`/uploads/${refused}`, { method: 'PUT', body: 'neither a picture nor a table\0' });
  const metadata = `uploadId ${Buffer.from(resumed).toString('base64')}`;
  await ask('/files', { method: 'POST', headers: { ...TUS, 'Upload-Length': '9', 'Upload-Metadata': metadata } });
  await ask(`/files/${resumed}`, { method: 'DELETE', headers: TUS });
  await ask(`/uploads/${picture}/cancel`, { method: 'POST' });
  await ask(`/uploads/${picture}`, { method: 'DELETE' });

  const output = () =>
    [...service.apis, ...service.workers]
      .map((process) => process.output())
      .join('')
      .toLowerCase();
  await eventually('the line of the last request', () => output().includes('"method":"delete","path":"/uploads/:id"'));
  for (const id of [picture, refused, resumed])
    expect([output().includes(id), output().includes(uploadRef(id))]).toEqual([false, true]);
  const lines = service.workers.flatMap((worker) => worker.lines());
  expect(lines).toContainEqual(expect.objectContaining({ msg: 'upload completed', upload: uploadRef(picture) }));
  const metrics = await (await fetch(`${service.url}/metrics`)).text();
  expect(metrics).not.toContain(picture);
});

test('on a public HOST the management address has the metrics, and ends with the process', async () => {
  const api = await service.addApi({ HOST: '0.0.0.0', ACCESS: 'open' });
  const listening = () => api.lines().find(({ msg }) => msg === 'listening');
  await eventually('the line listening', () => listening() !== undefined);
  const managementUrl = listening()?.['managementUrl'];
  expect(managementUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  const statusOf = async (url: string) => (await fetch(url)).status;
  expect([await statusOf(`${api.url}/metrics`), await statusOf(`${String(managementUrl)}/metrics`)]).toEqual([
    404, 200,
  ]);
  expect(await (await fetch(`${api.url}/readyz`)).json()).toEqual({ status: 'ready' });
  expect(await api.end()).toBe(0);
  await expect(fetch(`${String(managementUrl)}/metrics`)).rejects.toThrow();
});
