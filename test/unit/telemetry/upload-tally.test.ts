import { expect, test } from '@jest/globals';
import { UploadTally } from '../../../src/telemetry/upload-tally.ts';

test('received, completed and failed uploads are counted', () => {
  const tally = new UploadTally();
  tally.entered('receiving', ['receiving']);
  tally.entered('queued', ['receiving']);
  tally.entered('processing', ['queued', 'processing']);
  tally.entered('completed', ['processing']);
  tally.entered('failed', ['receiving']);
  tally.entered('failed', ['processing']);
  tally.entered('cancelled', ['receiving', 'queued', 'processing']);
  expect(tally.lastMinute).toEqual({ received: 1, completed: 1, failed: 2 });
});

test('a requeued or restored upload is counted as received only once', () => {
  const tally = new UploadTally();
  tally.entered('queued', ['processing']);
  tally.entered('queued', []);
  expect(tally.lastMinute.received).toBe(0);
});

test('outcomes are counted since the start, failed ones by code', () => {
  const tally = new UploadTally();
  tally.entered('completed', ['processing']);
  tally.entered('failed', ['receiving'], { id: 'a', code: 'file_too_large', detail: 'Too large.' });
  tally.entered('failed', ['processing'], { id: 'b', code: 'file_too_large', detail: 'Too large.' });
  expect(tally.outcomes()).toEqual([
    { outcome: 'completed', code: '', count: 1 },
    { outcome: 'failed', code: 'file_too_large', count: 2 },
  ]);
  expect(tally.failures).toMatchObject([
    { code: 'file_too_large', count: 2, examples: [{ detail: 'Too large.' }, {}] },
  ]);
});
