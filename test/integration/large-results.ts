import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { queueKeys } from '../../src/queue/contract.ts';
import type { Problem, Upload } from '../../src/wire/documents.ts';
import { uploadSchema } from '../../src/wire/upload-schemas.ts';
import { getJson, putFile, requestJson } from '../helpers/client.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { expectNothingLeft } from '../helpers/nothing-left.ts';
import { redisCommand } from '../helpers/redis-command.ts';
import { tableResult } from '../helpers/results.ts';
import type { Service } from '../helpers/service.ts';
import { sharedService } from '../helpers/shared-service.ts';

describe('an upload with a large result', () => {
  const COLUMNS = 100;
  const NAMES = Array.from({ length: COLUMNS }, (_, index) => `the name of column ${index}`).join(',');
  const ROW = Array.from({ length: COLUMNS }, (_, index) => index).join(',');
  const TABLE = Buffer.from(`${NAMES}\n${ROW}\n${ROW}\n`);

  let service: Service;

  beforeAll(async () => {
    service = await sharedService();
  });
  afterAll(async () => {
    await expectNothingLeft(service);
  });

  async function put(id: string): Promise<Upload> {
    const { status, body } = await putFile<Upload>(service.url, id, TABLE, 'wide.csv', `?timeout=${LONG_HOLD_MS}`);
    expect(status).toBe(200);
    return uploadSchema.parse(body);
  }

  test('every answer with an upload has its large result', async () => {
    const id = randomUUID();
    const upload = await put(id);
    const result = tableResult(upload);
    expect([result.columns.length, Buffer.byteLength(JSON.stringify(result)) > 4096]).toEqual([COLUMNS, true]);
    expect(await redisCommand(service.redis.url, 'EXISTS', resultKey(id))).toBe(1);
    const answers = await Promise.all([
      getJson<Upload>(`${service.url}/uploads/${id}`),
      getJson<Upload>(`${service.url}/uploads/${id}/result`),
      requestJson<Upload>(`${service.url}/uploads/${id}/cancel`, { method: 'POST' }),
      putFile<Upload>(service.url, id, TABLE, 'wide.csv', ''),
      putFile<Upload>(service.url, id, TABLE, 'wide.csv', `?timeout=${LONG_HOLD_MS}`),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 202, 200]);
    for (const { body } of answers) expect(body.result).toEqual(result);
    const csv = await fetch(service.url + (result.csv?.url ?? ''));
    expect(await csv.text()).toBe(TABLE.toString().replaceAll('\n', '\r\n'));
  });

  test('the large result of a deleted upload is removed immediately', async () => {
    const id = randomUUID();
    await put(id);
    expect((await fetch(`${service.url}/uploads/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect(await redisCommand(service.redis.url, 'EXISTS', resultKey(id))).toBe(0);
    expect((await getJson(`${service.url}/uploads/${id}/result`)).status).toBe(410);
  });

  test('an upload whose large result somebody has removed stays completed, and its result answers 410', async () => {
    const id = randomUUID();
    const { links } = await put(id);
    await redisCommand(service.redis.url, 'DEL', resultKey(id));
    const { status, body } = await getJson<Problem>(`${service.url}/uploads/${id}/result`);
    expect([status, body]).toEqual([410, expect.objectContaining({ code: 'upload_gone', state: 'completed' })]);
    expect((await getJson<Upload>(`${service.url}/uploads/${id}`)).body).toMatchObject({
      state: 'completed',
      result: null,
    });
    const content = await fetch(service.url + (links.content ?? ''));
    expect(Buffer.from(await content.arrayBuffer()).equals(TABLE)).toBe(true);
  });

  function resultKey(id: string): string {
    return queueKeys('deferred-uploads').result(id);
  }
});
