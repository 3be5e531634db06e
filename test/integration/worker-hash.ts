import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createHash, randomUUID } from 'node:crypto';
import type { Upload } from '../../src/wire/documents.ts';
import { getJson, putFile } from '../helpers/client.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { photo } from '../helpers/pictures.ts';
import { expectNothingLeft } from '../helpers/nothing-left.ts';
import type { Service, ServiceProcess } from '../helpers/service.ts';
import { sharedService } from '../helpers/shared-service.ts';

describe('an API process that leaves the digest to the worker', () => {
  let service: Service;
  let api: ServiceProcess;
  let bytes: Buffer;

  beforeAll(async () => {
    [service, bytes] = await Promise.all([sharedService(), photo({ width: 300, height: 200 })]);
    api = await service.addApi({ UPLOAD_HASH: 'worker' });
  });
  afterAll(async () => {
    await expectNothingLeft(service);
    await api.end();
  });

  test('with UPLOAD_HASH=worker a file has its digest when it is completed', async () => {
    const id = randomUUID();
    const sent = await putFile(api.url, id, bytes, 'a.jpg');
    expect(sent.status).toBe(202);
    const content = async () => Buffer.from(await (await fetch(`${api.url}/uploads/${id}/content`)).arrayBuffer());
    expect((await content()).equals(bytes)).toBe(true);
    const { body } = await getJson<Upload>(`${api.url}/uploads/${id}/result?timeout=${LONG_HOLD_MS}`);
    expect(body).toMatchObject({
      state: 'completed',
      file: { size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') },
    });
    expect((await content()).equals(bytes)).toBe(true);
    expect((await putFile(api.url, id, bytes, 'a.jpg')).status).toBe(202);
    expect((await putFile(api.url, id, Buffer.concat([bytes.subarray(1), Buffer.of(1)]), 'a.jpg')).status).toBe(409);
  });
});
