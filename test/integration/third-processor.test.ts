import { beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { basename, resolve } from 'node:path';
import type { Problem, Progress, Upload, UploadList } from '../../src/wire/documents.ts';
import { getJson, postFiles, putFile, requestJson } from '../helpers/client.ts';
import { endWithNothingLeft } from '../helpers/end-with-nothing-left.ts';
import { eventually } from '../helpers/eventually.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { photo } from '../helpers/pictures.ts';
import { readEvents } from '../helpers/server-events.ts';
import { startService, type Service } from '../helpers/service.ts';
import { SLOW_RATE, wav } from '../helpers/sound/wav.ts';
import { filesOfUpload } from '../helpers/stored-files.ts';

const SAMPLES = Buffer.from([
  ...Array<number>(8000).fill(10),
  ...Array<number>(4000).fill(70),
  ...Array<number>(4000).fill(30),
]);

let service: Service;

/** Starts the service with one more file kind and one more processor, which are both in `test/helpers/sound`. */
beforeAll(async () => {
  service = await startService({
    apiEntry: resolve('test/helpers/sound/api.ts'),
    workerEntry: resolve('test/helpers/sound/worker.ts'),
  });
});
endWithNothingLeft(() => service);

async function filesOf(id: string): Promise<string[]> {
  return (await filesOfUpload(service.directory, id)).map((path) => basename(path));
}

describe('a third processor', () => {
  test('recognizes its files by their bytes, and its result, files and stages are served', async () => {
    const id = randomUUID();
    const { status, body } = await putFile<Upload>(service.url, id, wav(SAMPLES), 'a.jpg', `?timeout=${LONG_HOLD_MS}`);
    const url = `/variants/${body.publicId}/peaks.json`;
    expect([status, body]).toMatchObject([
      200,
      { state: 'completed', file: { type: 'audio/wav' }, progress: { percent: 100, stage: 'done', attempt: 1 } },
    ]);
    expect(body.result).toEqual({ kind: 'sound', seconds: 2, peaks: { size: expect.any(Number), url } });
    const peaks = await fetch(service.url + url);
    expect([peaks.headers.get('content-type'), await peaks.json()]).toEqual([
      'application/json; charset=utf-8',
      [10, 10, 70, 30],
    ]);
    expect((await fetch(`${service.url}/variants/${body.publicId}/160`)).status).toBe(404);
    expect((await getJson<Upload>(`${service.url}/uploads/${id}/result`)).body.result).toEqual(body.result);
  });

  test('reports progress by steps of its own', async () => {
    const id = randomUUID();
    const [events] = await Promise.all([
      eventually(
        'its events to be read',
        async () => await readEvents(`${service.url}/uploads/${id}/events`).catch(() => undefined),
      ),
      putFile<Upload>(service.url, id, wav(Buffer.alloc(100_000), SLOW_RATE), 'a.wav'),
    ]);
    const stages = events.map(({ data }) => data.stage);
    expect(stages).toContain('listen');
    const percents = events.map(({ data }) => data.percent);
    expect(percents).toEqual(percents.toSorted((one, other) => one - other));
    expect(events.at(-1)?.data).toMatchObject({ state: 'completed', stage: 'done', percent: 100 });
  });

  test('has options, which are checked before a byte is stored', async () => {
    const options = (value: unknown) => `?timeout=${LONG_HOLD_MS}&options=${encodeURIComponent(JSON.stringify(value))}`;
    const { body } = await putFile<Upload>(service.url, randomUUID(), wav(SAMPLES), 'a.wav', options({ peaks: 2 }));
    expect(await (await fetch(`${service.url}/variants/${body.publicId}/peaks.json`)).json()).toEqual([10, 70]);
    const id = randomUUID();
    const refused = await putFile<Problem>(service.url, id, wav(SAMPLES), 'a.wav', options({ peaks: 0 }));
    expect([refused.status, refused.body.code, await filesOf(id)]).toEqual([400, 'bad_options', []]);
  });

  test('may reject a file, and give advice on others', async () => {
    const damaged = await putFile<Upload>(
      service.url,
      randomUUID(),
      wav(SAMPLES).subarray(0, 30),
      'a.wav',
      `?timeout=${LONG_HOLD_MS}`,
    );
    expect(damaged.body).toMatchObject({
      state: 'failed',
      error: { code: 'file_damaged', status: 422, detail: expect.stringContaining('header') },
      progress: { attempt: 1 },
    });
    const { status, body } = await putFile<Problem>(service.url, randomUUID(), Buffer.from('fLaC and more'), 'a.flac');
    expect([status, body.code, body.detail]).toEqual([
      415,
      'unsupported_media_type',
      expect.stringContaining('Save the sound as WAV.'),
    ]);
  });

  test('is cancelled in a step, and its files are removed', async () => {
    const id = randomUUID();
    await putFile<Upload>(service.url, id, wav(Buffer.alloc(60_000_000), SLOW_RATE), 'long.wav');
    await eventually(
      'it to be under way',
      async () => (await getJson<Progress>(`${service.url}/uploads/${id}/progress`)).body.stage === 'listen',
    );
    const { body } = await requestJson<Upload>(`${service.url}/uploads/${id}/cancel`, { method: 'POST' });
    expect(body.state).toBe('cancelled');
    await eventually('its files to go', async () => (await filesOf(id)).length === 0);
  });

  test('runs beside the other processors', async () => {
    const files = [
      { name: 'a.wav', bytes: wav(SAMPLES) },
      { name: 'b.jpg', bytes: await photo({ width: 40, height: 30 }) },
    ];
    const { body } = await postFiles<UploadList>(service.url, files, `?timeout=${LONG_HOLD_MS}`);
    expect(body.uploads.map(({ result }) => result?.kind)).toEqual(['sound', 'picture']);
  });
});
