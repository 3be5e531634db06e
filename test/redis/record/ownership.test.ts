import { describe, expect, test } from '@jest/globals';
import { openCaller, type Caller } from '../../../src/access/caller.ts';
import { toUpload } from '../../../src/record/upload-document.ts';
import { newUpload, uploadIn, type RecordSpace } from '../../helpers/record-space.ts';
import { useRecords } from '../../helpers/use-records.ts';

let space: RecordSpace;

useRecords('file', (opened) => (space = opened));

const ACME: Caller = {
  ...openCaller,
  via: 'ticket',
  tenant: 'acme',
  lane: 'batch',
  weight: 3,
  metadata: { order: 7, tags: [], more: {} },
};

describe('the record of an upload', () => {
  test('keeps tenant, lane, weight and metadata of its caller through every change', async () => {
    const { id } = await uploadIn(space.records, 'completed', { caller: ACME });
    const read = await space.records.readWithResult(id);
    expect(read?.record).toMatchObject({ tenant: 'acme', lane: 'batch', weight: 3, appMetadata: ACME.metadata });
    expect(read && toUpload(read)).toMatchObject({ tenant: 'acme', metadata: ACME.metadata });
  });

  test('has neither tenant nor metadata in open mode, and is in the live lane', async () => {
    const { id } = await uploadIn(space.records, 'queued', { caller: openCaller });
    expect((await space.records.read(id))?.record).toMatchObject({
      tenant: null,
      lane: 'live',
      weight: 1,
      appMetadata: null,
    });
  });

  test('takes the caller of the request that starts it again', async () => {
    const { id } = await uploadIn(space.records, 'failed', { caller: ACME });
    await space.records.open(newUpload({ id, caller: { ...ACME, tenant: 'other', metadata: undefined } }));
    expect((await space.records.read(id))?.record).toMatchObject({ tenant: 'other', appMetadata: null });
    await space.records.cancel(id);
    await space.records.open(newUpload({ id }));
    expect((await space.records.read(id))?.record).toMatchObject({ tenant: null, lane: 'live', appMetadata: null });
  });
});
