import { expect, test } from '@jest/globals';
import { UploadTally } from '../../../src/telemetry/upload-tally.ts';

test('counts what was received, completed and failed, and nothing else', () => {
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

test('receives an upload once, however often it is handed back or restored', () => {
  const tally = new UploadTally();
  tally.entered('queued', ['processing']);
  tally.entered('queued', []);
  expect(tally.lastMinute.received).toBe(0);
});
