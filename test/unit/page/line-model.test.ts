import { describe, expect, test } from '@jest/globals';
import type { Progress } from '../../../src/wire/documents.ts';
import { createLineModel, isBusy, isStopped, isWorthRetrying, type LineModel } from '../../../src/page/line-model.ts';
import { describeLine } from '../../../src/page/line-text.ts';
import { markOldPositions, moveUpBehind } from '../../../src/page/queue-positions.ts';
import { english } from '../../../src/page/words-english.ts';
import { completedUpload, freshProgress, freshUpload, problem } from '../client/documents.ts';

const FILE = new File(['x'], 'photo.jpg');

function line(patch: Partial<LineModel> = {}): LineModel {
  return { ...createLineModel({ name: 'photo.jpg', sizeBytes: 2_000_000 }, FILE), ...patch };
}

function progress(patch: Partial<Progress>): Progress {
  return freshProgress('an id', patch);
}

function stageOf(patch: Partial<LineModel>): string {
  return describeLine(line(patch), english).stage;
}

describe('line of an upload', () => {
  test('shows that the upload has not started', () => {
    expect(describeLine(line(), english)).toEqual({
      state: 'waiting',
      stage: 'Waiting to upload',
      timeLeft: null,
      percent: null,
    });
  });

  test('shows why the server refuses the upload for now, and the quota of it', () => {
    const refusal = { ...problem('quota_exceeded', 429, 'Used up.'), limit: 'waiting' as const };
    const text = (retryReason: LineModel['retryReason']) => stageOf({ phase: 'retrying', retryReason });
    expect(text(refusal)).toBe('Too many of your files are waiting, trying again later');
    expect(text(problem('service_unavailable', 503, 'Away.'))).toBe('The server is busy, trying again later');
    expect(text(problem('connection_lost', 0, 'Lost.'))).toBe('Connection lost, trying again soon');
    expect(stageOf({ problem: refusal })).toMatch(/^Too many of your files are waiting to be processed/);
  });

  test('shows how many bytes were sent', () => {
    const sent = progress({ bytes: { received: 1_000_000, total: 2_000_000 }, percent: 15, etaMs: 4000 });
    expect(describeLine(line({ phase: 'sending', progress: sent }), english)).toEqual({
      state: 'sending',
      stage: 'Sending, 1 MB of 2 MB',
      timeLeft: 'about 4 seconds left',
      percent: 15,
    });
    expect(stageOf({ phase: 'sending' })).toBe('Sending, 0 kB of 2 MB');
  });

  test('shows no remaining time while the connection is lost', () => {
    const text = describeLine(line({ phase: 'retrying', progress: progress({ etaMs: 4000 }) }), english);
    expect(text).toMatchObject({ stage: 'Connection lost, trying again soon', timeLeft: null });
  });

  test('shows neither position nor time while the server cannot be reached', () => {
    const queued = progress({ state: 'queued', queuePosition: 2, etaMs: 4000 });
    expect(describeLine(line({ isOffline: true, progress: queued }), english)).toMatchObject({
      stage: 'Waiting for the server',
      timeLeft: null,
    });
  });

  test('shows the bytes that the browser sent as long as the server reports none', () => {
    expect(stageOf({ phase: 'sending', sentBytes: 1_000_000 })).toBe('Sending, 1 MB of 2 MB');
    const received = progress({ bytes: { received: 300_000, total: 2_000_000 } });
    expect(stageOf({ phase: 'sending', sentBytes: 1_000_000, progress: received })).toBe('Sending, 300 kB of 2 MB');
  });

  test.each([
    [{ state: 'queued', queuePosition: 1 }, 'Next in the queue'],
    [{ state: 'queued', queuePosition: 12 }, 'Number 12 in the queue'],
    [{ state: 'queued', queuePosition: null }, 'In the queue'],
    [{ state: 'processing', stage: 'variants', attempt: 1 }, 'Making smaller versions'],
    [{ state: 'processing', stage: 'variants', attempt: 2 }, 'Making smaller versions, attempt 2'],
    [{ state: 'processing', stage: 'fold' }, 'Processing'],
    [{ state: 'completed', stage: 'done' }, 'Finishing'],
  ] satisfies [Partial<Progress>, string][])('shows %j as "%s"', (patch, text) => {
    expect(stageOf({ phase: 'following', progress: progress(patch) })).toBe(text);
  });

  test('shows the final state as done, failed or cancelled', () => {
    expect(describeLine(line({ upload: completedUpload(freshUpload('an id')) }), english)).toMatchObject({
      state: 'done',
      percent: 100,
    });
    expect(describeLine(line({ problem: problem('upload_cancelled', 410, '') }), english)).toMatchObject({
      state: 'cancelled',
    });
    const damaged = problem('picture_damaged', 422, 'The end of the file is missing.');
    expect(describeLine(line({ problem: damaged }), english)).toMatchObject({
      state: 'failed',
      stage: 'The end of the file is missing.',
    });
  });

  test.each([
    [{ problem: problem('upload_interrupted', 400, 'x') }, true],
    [{ problem: problem('unknown_upload', 404, 'x') }, true],
    [{ progress: progress({ state: 'receiving', percent: 12 }) }, true],
    [{ progress: progress({ state: 'queued' }) }, false],
    [{ problem: problem('picture_damaged', 422, 'x') }, false],
    [{ problem: problem('upload_interrupted', 400, 'x'), file: FILE }, false],
  ])('waits for its file only if the server needs more bytes: %j', (patch, stopped) => {
    const model = line({ file: null, ...patch });
    expect([isStopped(model), describeLine(model, english).stage === english.needsFile]).toEqual([stopped, stopped]);
    if (stopped)
      expect([isBusy(model), describeLine({ ...model, wasMistaken: true }, english).stage]).toEqual([
        false,
        english.wrongFile('photo.jpg'),
      ]);
  });

  test('shows the sent bytes and no remaining time while it is paused', () => {
    const sent = progress({ bytes: { received: 1_000_000, total: 2_000_000 }, percent: 15, etaMs: 4000 });
    expect(describeLine(line({ phase: 'paused', progress: sent }), english)).toEqual({
      state: 'paused',
      stage: 'Paused at 1 MB of 2 MB',
      timeLeft: null,
      percent: 15,
    });
    expect(describeLine(line({ phase: 'paused' }), english)).toMatchObject({ stage: 'Paused', percent: null });
  });

  test('offers a retry only if the same bytes may succeed', () => {
    expect(isWorthRetrying(line({ problem: problem('connection_lost', 0, '') }))).toBe(true);
    expect(isWorthRetrying(line({ problem: problem('picture_damaged', 422, '') }))).toBe(false);
    expect(isWorthRetrying(line({ file: null, problem: problem('connection_lost', 0, '') }))).toBe(false);
    expect(isBusy(line())).toBe(true);
  });
});

describe('positions in the queue', () => {
  const queued = (queuePosition: number, patch: Partial<LineModel> = {}): LineModel =>
    line({ progress: progress({ state: 'queued', queuePosition }), ...patch });
  const positionsOf = (models: LineModel[]) => models.map((model) => model.progress?.queuePosition);

  test('move up when an upload ahead of them leaves the queue', () => {
    const [first, second, third] = [queued(1), queued(2), queued(5)];
    expect(moveUpBehind(second, [first, second, third])).toEqual([third]);
    expect(positionsOf([first, second, third])).toEqual([1, 2, 4]);
    expect(moveUpBehind(line(), [first])).toEqual([]);
  });

  test('are shown only for the newest report of two uploads at the same position', () => {
    const [older, other, newest] = [queued(2), queued(1), queued(2)];
    expect(markOldPositions(newest, [older, other, newest, line()])).toEqual([older]);
    const texts = [older, other, newest].map((model) => describeLine(model, english).stage);
    expect(texts).toEqual([english.queued(null), english.queued(1), english.queued(2)]);
    expect(markOldPositions(newest, [older])).toEqual([]);
    expect(markOldPositions(line(), [other])).toEqual([]);
  });

  test('are compared only within one kind of file', () => {
    const [photo, table, program] = [queued(1), queued(1, { name: 'a.csv' }), queued(1, { name: 'a.exe', file: null })];
    const waiting = [queued(2), queued(2, { name: 'b.csv' }), queued(2, { name: 'b.exe', file: null })];
    const all = [photo, table, program, ...waiting];
    for (const model of all) expect(markOldPositions(model, all)).toEqual([]);
    expect(moveUpBehind(table, all)).toEqual([waiting[1]]);
    expect(positionsOf(waiting)).toEqual([2, 1, 2]);
  });

  test('move up when an upload with an outdated position leaves the queue', () => {
    const [mover, next, newest, last] = [queued(3, { isPositionOld: true }), queued(2), queued(3), queued(4)];
    expect(moveUpBehind(mover, [mover, next, newest, last])).toEqual([next, newest, last]);
    expect(positionsOf([next, newest, last])).toEqual([1, 2, 3]);
    // All positions up to that of the mover were reported after it had left the queue.
    expect(moveUpBehind(mover, [mover, next, newest, last])).toEqual([]);
  });
});
