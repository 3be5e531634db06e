import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Redis } from 'ioredis';
import { queueKeys } from '../../src/queue/contract.ts';
import type { IssuedTicket, Progress, Upload } from '../../src/wire/documents.ts';
import { keyEntry, newApiKey, newSecret, newTicket } from '../helpers/access-file.ts';
import { getJson, putFile, requestJson } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { photo } from '../helpers/pictures.ts';
import { putInHalves } from '../helpers/put-in-halves.ts';
import { startService, type Service } from '../helpers/service.ts';

const PRELOAD = `--import ${pathToFileURL(resolve('test/helpers/clock-apart.mjs')).href}`;
const MINUTE_MS = 60_000;
const keys = queueKeys('deferred-uploads');

let service: Service;
let redis: Redis;
let bytes: Buffer;

beforeAll(async () => {
  bytes = await photo({ width: 120, height: 90 });
  service = await startService({ env: { SWEEP_PERIOD_MS: '200' } });
  redis = new Redis(service.redis.url);
});
afterAll(async () => {
  redis.disconnect();
  await service.stop();
});

async function apiWithClock(offsetMs: number, env: Record<string, string> = {}): Promise<string> {
  return (await service.addApi({ NODE_OPTIONS: PRELOAD, CLOCK_OFFSET_MS: String(offsetMs), ...env })).url;
}

/** Resolves when a sweep that began after this call has handled all due uploads. */
async function nextSweep(): Promise<void> {
  const id = randomUUID();
  await putFile<Upload>(service.url, id, bytes, 'a.jpg');
  // A deleted upload is due at once. After a sweep it is due later or never.
  await requestJson(`${service.url}/uploads/${id}`, { method: 'DELETE' });
  await eventually('a sweep', async () => Number((await redis.zscore(keys.due, id)) ?? Infinity) > Date.now());
}

test.each([
  ['behind', -10 * MINUTE_MS],
  ['ahead', 10 * MINUTE_MS],
])(
  'the janitor does not end a running upload of an API process whose clock is 10 minutes %s',
  async (_word, offsetMs) => {
    const url = await apiWithClock(offsetMs);
    const id = randomUUID();
    const { answer, finish } = putInHalves<Upload>(`${url}/uploads/${id}?timeout=${LONG_HOLD_MS}`, bytes);
    await eventually('it to be receiving', async () => {
      const { body } = await getJson<Progress>(`${url}/uploads/${id}/progress`);
      return body.state === 'receiving' && body.bytes.received > 0;
    });
    for (let sweeps = 0; sweeps < 2; sweeps++) await nextSweep();
    finish();
    const { status, body } = await answer;
    expect([status, body.state]).toEqual([200, 'completed']);
    expect(Math.abs(Date.parse(body.createdAt) - Date.now())).toBeLessThan(5 * MINUTE_MS);
  },
);

test('an API process whose clock is days ahead serves uploads until the retention ends in Redis', async () => {
  const url = await apiWithClock(72 * 60 * MINUTE_MS);
  const { id } = (await putFile<Upload>(url, randomUUID(), bytes, 'a.jpg', `?timeout=${LONG_HOLD_MS}`)).body;
  const paths = [`/uploads/${id}`, `/uploads/${id}/progress`, `/uploads/${id}/result`, `/uploads/${id}/content`];
  const statuses = await Promise.all(paths.map(async (path) => (await fetch(url + path)).status));
  expect(statuses).toEqual([200, 200, 200, 200]);
});

test('a ticket is valid by the clock of Redis at an API process whose clock is days ahead', async () => {
  const [apiKey, secret] = [newApiKey('acme'), newSecret()];
  const acme = { keys: [keyEntry('k1', apiKey)], tickets: [{ kid: 'hs', alg: 'HS256', secret }] };
  const file = join(service.directory, '..', `du-access-${randomUUID()}.json`);
  await writeFile(file, JSON.stringify({ tenants: { acme } }));
  try {
    const url = await apiWithClock(72 * 60 * MINUTE_MS, { ACCESS_FILE: file });
    const issued = await requestJson<IssuedTicket>(`${url}/tickets`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${apiKey}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ expiresIn: 600 }),
    });
    expect(Date.parse(issued.body.expiresAt) - Date.now()).toBeLessThan(15 * MINUTE_MS);
    for (const ticket of [issued.body.ticket, await newTicket('hs', secret)]) {
      const sent = await putFile<Upload>(url, randomUUID(), bytes, 'a.jpg', `?ticket=${ticket}`);
      expect([sent.status, sent.body.state]).toEqual([202, 'queued']);
    }
  } finally {
    await rm(file);
  }
});
