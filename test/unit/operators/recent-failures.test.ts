import { expect, test } from '@jest/globals';
import { findUploads, type FindParts } from '../../../src/operators/find-uploads.ts';
import { sumOfFailures, sumOfHours } from '../../../src/operators/recent-failures.ts';
import { UploadTally } from '../../../src/telemetry/upload-tally.ts';
import { uploadRef } from '../../../src/telemetry/upload-ref.ts';
import type { ProcessReport } from '../../../src/wire/documents.ts';
import { FakeRecords, ID, recordOf } from '../record/states.ts';

function reportOf(tally: UploadTally): ProcessReport {
  const { lastMinute, lastHour, failures } = tally;
  const identity = { id: 'p', role: 'api', host: 'h', pid: 1, version: '0', startedAt: '' } as const;
  return { ...identity, held: {}, running: 0, pausedBy: null, wake: null, lastMinute, lastHour, failures };
}

test('failures of all processes are added up by code, with the newest examples', () => {
  const [api, worker] = [new UploadTally(), new UploadTally()];
  for (const detail of ['first', 'second', 'third', 'fourth'])
    api.entered('failed', ['receiving'], { id: ID, code: 'file_too_large', detail });
  worker.entered('failed', ['processing'], { id: ID, code: 'picture_damaged', detail: 'cut' });
  worker.entered('failed', ['processing'], { id: ID, code: 'file_too_large', detail: 'fifth' });
  const [first, second, ...more] = sumOfFailures([reportOf(api), reportOf(worker)]);
  expect(first).toMatchObject({ code: 'file_too_large', count: 5 });
  expect(first?.examples).toHaveLength(3);
  expect(first?.examples.map(({ detail }) => detail)).not.toContain('first');
  expect(first?.examples[0]?.ref).toBe(uploadRef(ID));
  expect([second?.code, second?.count, more]).toEqual(['picture_damaged', 1, []]);
});

test('the hours of all processes are added up, and a process of an older version counts as 0', () => {
  const [one, other] = [new UploadTally(), new UploadTally()];
  one.entered('queued', ['receiving']);
  other.entered('queued', ['receiving']);
  const { lastHour: _hour, ...older } = reportOf(one);
  const { received, failed } = sumOfHours([reportOf(one), reportOf(other), older]);
  expect([received.length, received.at(-1), failed.at(-1)]).toEqual([60, 2, 0]);
});

const OTHER_ID = '6f1d2c3b-8a90-4b7e-8d21-0c9e5a4b3f12';

/** Makes two uploads and, before them, `more` others without a name. */
function partsOf(more = 0): FindParts {
  const records = new FakeRecords();
  records.set(recordOf({ id: ID, fileName: 'Harbour.jpg' }));
  records.set(recordOf({ id: OTHER_ID, fileName: 'orders.csv' }));
  const names = new Map([
    [ID, 'Harbour.jpg'],
    [OTHER_ID, 'orders.csv'],
  ]);
  const members = [...Array.from({ length: more }, (_, index) => `id-${index} x`), `${ID} owner`, `${OTHER_ID} `];
  return {
    connection: {
      zrevrange: async (_key: unknown, start: number, end: number) => members.slice(start, end + 1),
      hget: async (key: string) => names.get(key) ?? null,
    } as unknown as FindParts['connection'],
    keys: { records: 'records', record: (id: string) => id },
    records,
  };
}

test.each([
  ['its id', ID],
  ['the beginning of its hash', uploadRef(ID).slice(0, 8)],
  ['a part of its name', 'HARB'],
])('an upload is found by %s, and the answer has no id', async (_by, text) => {
  const { uploads, isComplete } = await findUploads(partsOf(), text);
  expect(uploads).toMatchObject([{ ref: uploadRef(ID), name: 'Harbour.jpg', state: 'processing' }]);
  expect([isComplete, JSON.stringify(uploads).includes(ID), JSON.stringify(uploads).includes('public')]).toEqual([
    true,
    false,
    false,
  ]);
});

test('nothing is found for an unknown text', async () => {
  expect(await findUploads(partsOf(), 'nothing')).toEqual({ uploads: [], isComplete: true });
  expect(await findUploads(partsOf(), '0b0c7e4e-6f0b-4c58-9a43-0d5b8f0e6c99')).toEqual({
    uploads: [],
    isComplete: true,
  });
});

test('a search ends after 20,000 uploads and says so', async () => {
  expect(await findUploads(partsOf(20_500), 'harbour')).toEqual({ uploads: [], isComplete: false });
});
