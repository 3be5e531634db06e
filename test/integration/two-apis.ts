import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Progress, Upload } from '../../src/wire/documents.ts';
import { getJson, putFile } from '../helpers/client.ts';
import { eventually } from '../helpers/eventually.ts';
import { finalResult } from '../helpers/final-result.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { photo } from '../helpers/pictures.ts';
import { putInHalves } from '../helpers/put-in-halves.ts';
import type { ServiceProcess } from '../helpers/service.ts';
import { sharedService } from '../helpers/shared-service.ts';

describe('two API processes and a worker', () => {
  let other: ServiceProcess;
  let first: string;
  let second: string;

  beforeAll(async () => {
    const service = await sharedService();
    first = service.url;
    other = await service.addApi();
    second = other.url;
  });
  afterAll(async () => {
    await other.end();
  });

  test('give the same answers if an upload is sent to one, polled at the other and processed in a third', async () => {
    const id = randomUUID();
    const sent = putFile<Upload>(
      first,
      id,
      await photo({ width: 800, height: 600 }),
      'a.jpg',
      `?timeout=${LONG_HOLD_MS}`,
    );
    await eventually('the record', async () => (await getJson(`${second}/uploads/${id}`)).status === 200);
    const seen: Progress[] = [];
    for (let since = 0; seen.at(-1)?.final !== true; since = seen.at(-1)?.version ?? 0) {
      seen.push(
        (await getJson<Progress>(`${second}/uploads/${id}/progress?since=${since}&timeout=${LONG_HOLD_MS}`)).body,
      );
    }
    expect(seen.every((progress) => !progress.timedOut)).toBe(true);
    const there = await getJson<Upload>(`${second}/uploads/${id}`);
    expect((await sent).body).toEqual(there.body);
  });

  test('both show how many bytes of an upload one of them has received', async () => {
    const id = randomUUID();
    const bytes = await photo({ width: 800, height: 600 });
    const sent = putInHalves<Upload>(`${first}/uploads/${id}?timeout=${LONG_HOLD_MS}`, bytes);
    const progress = await eventually('half of the bytes', async () => {
      const { status, body } = await getJson<Progress>(`${second}/uploads/${id}/progress`);
      return status === 200 && body.bytes.received === Math.floor(bytes.length / 2) && body;
    });
    expect(progress).toMatchObject({ state: 'receiving', stage: 'receive' });
    sent.finish();
    expect((await sent.answer).status).toBe(200);
  });

  test('let a later PUT at one take over from a PUT that the other is still receiving', async () => {
    const id = randomUUID();
    const bytes = await photo({ width: 400, height: 300 });
    const hanging = new AbortController();
    async function* never() {
      yield bytes.subarray(0, 5000);
      await new Promise((resolve) => hanging.signal.addEventListener('abort', resolve));
    }
    const dead = fetch(`${first}/uploads/${id}`, {
      method: 'PUT',
      body: never() as unknown as BodyInit,
      duplex: 'half',
      signal: hanging.signal,
    } as RequestInit).catch(() => undefined);
    await eventually(
      'the first to be receiving',
      async () => (await getJson<Upload>(`${first}/uploads/${id}`)).body.state === 'receiving',
    );
    const taken = await putFile<Upload>(second, id, bytes, 'a.jpg', `?timeout=${LONG_HOLD_MS}`);
    expect([taken.status, taken.body.state]).toEqual([200, 'completed']);
    hanging.abort();
    await dead;
    await eventually(
      'the first to have ended',
      async () => (await getJson<Upload>(`${first}/uploads/${id}`)).body.state === 'completed',
    );
  });

  test('create one new life of a cancelled upload that is sent to both at the same time', async () => {
    const bytes = await photo({ width: 200, height: 150 });
    for (let round = 0; round < 10; round += 1) {
      const id = randomUUID();
      await putFile(first, id, bytes, 'a.jpg');
      await fetch(`${first}/uploads/${id}/cancel`, { method: 'POST' });
      const sent = await Promise.all([first, second].map((url) => putFile<{ code?: string }>(url, id, bytes, 'a.jpg')));
      // One of them may be superseded by the other. Neither may get a conflict or a fault.
      expect(
        sent
          .map(({ status, body }) => body.code ?? status)
          .filter((word) => word !== 202 && word !== 'upload_superseded'),
      ).toEqual([]);
      expect(await finalResult(first, id)).toMatchObject({ state: 'completed' });
    }
  });
});
