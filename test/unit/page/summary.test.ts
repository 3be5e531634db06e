import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Progress } from '../../../src/wire/documents.ts';
import { effectiveFilter, offeredFilters } from '../../../src/page/filters.ts';
import { createLineModel, type LineModel } from '../../../src/page/line-model.ts';
import { summarise } from '../../../src/page/summary.ts';
import { type SummaryElements, SummaryView, titleOf } from '../../../src/page/summary-view.ts';
import { TimeLeft } from '../../../src/page/time-left.ts';
import { english } from '../../../src/page/words-english.ts';
import { completedUpload, freshProgress, freshUpload, problem } from '../client/documents.ts';

const FILE = new File(['x'], 'photo.jpg');

function line(patch: Partial<LineModel> = {}, sizeBytes = 2_000_000): LineModel {
  return { ...createLineModel({ name: 'photo.jpg', sizeBytes }, FILE), ...patch };
}

function progress(patch: Partial<Progress>): Progress {
  return freshProgress('an id', patch);
}

const DONE = { upload: completedUpload(freshUpload('an id')) };
const FAILED = { problem: problem('picture_damaged', 422, '') };
const CANCELLED = { problem: problem('upload_cancelled', 410, '') };

describe('summary', () => {
  test('counts the lines of each group and the bytes that are not lost', () => {
    const sending = { progress: progress({ percent: 50, bytes: { received: 500_000, total: 2_000_000 } }) };
    const models = [line(DONE), line(FAILED), line(CANCELLED), line(sending), line({ phase: 'paused' })];
    expect(summarise(models)).toEqual({
      total: 5,
      groups: { working: 2, failed: 1, done: 1, cancelled: 1 },
      busy: 1,
      pausable: 1,
      paused: 1,
      percent: 70,
      bytes: { sent: 2_500_000, total: 6_000_000 },
      slowestMs: 0,
    });
  });

  test('weighs files by their size, so that one large file does not look like half the work', () => {
    const small = line(DONE, 100_000);
    const large = line({ phase: 'sending', progress: progress({ percent: 4 }) }, 63_000_000);
    expect(summarise([small, large]).percent).toBeLessThan(6);
  });

  test('is shown in the title', () => {
    expect(titleOf(summarise([line({ progress: progress({ percent: 70 }) })]), english)).toBe('70% · Deferred uploads');
    expect(titleOf(summarise([line(DONE), line(FAILED)]), english)).toBe('1 done · Deferred uploads');
    expect(titleOf(summarise([]), english)).toBe('Deferred uploads');
  });
});

describe('summary view', () => {
  beforeAll(() => void Object.assign(globalThis, { document: { title: '', body: new FakeElement() } }));
  afterAll(() => void Reflect.deleteProperty(globalThis, 'document'));

  test('marks its bar as busy only while an upload advances', () => {
    // While it is busy, a phone hides the buttons that act on finished files.
    const bar = new FakeElement();
    const rest = ['section', 'text', 'bytes', 'timeLeft', 'pauseAll', 'cancelAll', 'hideFinished'];
    const elements = { bar, ...Object.fromEntries(rest.map((name) => [name, new FakeElement()])) };
    const view = new SummaryView(elements as unknown as SummaryElements, english);
    const marksOf = (...models: LineModel[]) => {
      view.show(summarise(models), true);
      return [...bar.attributes.keys()];
    };
    expect(marksOf(line(DONE), line({ phase: 'paused' }), line())).toEqual(['data-busy']);
    expect(marksOf(line(DONE), line({ phase: 'paused' }))).toEqual([]);
    expect(marksOf(line(DONE))).toEqual(['data-over']);
  });
});

class FakeElement {
  readonly attributes = new Map<string, string>();
  textContent = '';
  getAttribute(name: string): string | null {
    return this.attributes.get(name) ?? null;
  }
  setAttribute(name: string, value: string): void {
    this.attributes.set(name, value);
  }
  removeAttribute(name: string): void {
    this.attributes.delete(name);
  }
}

describe('remaining time', () => {
  const advance = { total: 10, percent: 10, busy: 10, isAdvancing: true, slowestMs: 0 };

  test('is estimated from the progress so far', () => {
    const timeLeft = new TimeLeft();
    expect(timeLeft.estimate(advance, 1000)).toBeNull();
    expect(timeLeft.estimate({ ...advance, percent: 11 }, 6000)).toBeNull();
    expect(timeLeft.estimate({ ...advance, percent: 20 }, 11_000)).toBe(80_000);
  });

  test('is measured again after more files, a pause or a lost connection', () => {
    const timeLeft = new TimeLeft();
    timeLeft.estimate(advance, 0);
    expect(timeLeft.estimate({ ...advance, total: 20, percent: 20 }, 12_000)).toBeNull();
    expect(timeLeft.estimate({ ...advance, total: 20, percent: 60, isAdvancing: false }, 20_000)).toBeNull();
    expect(timeLeft.estimate({ ...advance, total: 20, percent: 60 }, 21_000)).toBeNull();
  });

  test('is never shorter than that of the slowest file, and that of the last file if only one is left', () => {
    const timeLeft = new TimeLeft();
    timeLeft.estimate(advance, 0);
    expect(timeLeft.estimate({ ...advance, percent: 90, slowestMs: 120_000 }, 10_000)).toBe(120_000);
    expect(timeLeft.estimate({ ...advance, busy: 1, percent: 30, slowestMs: 4000 }, 10_000)).toBe(4000);
    expect(summarise([line({ progress: progress({ etaMs: 9000 }) }), line(DONE)]).slowestMs).toBe(9000);
  });
});

describe('filters', () => {
  test('are offered only for groups with lines, and not if all lines are in one group', () => {
    expect(offeredFilters(summarise([line(), line(FAILED), line(CANCELLED)]))).toEqual(['all', 'working', 'failed']);
    expect(offeredFilters(summarise([line(DONE), line(DONE)]))).toEqual([]);
    expect(offeredFilters(summarise([]))).toEqual([]);
  });

  test('show all lines again when the chosen group is empty', () => {
    expect(effectiveFilter('working', summarise([line(), line(DONE)]))).toBe('working');
    expect(effectiveFilter('working', summarise([line(DONE)]))).toBe('all');
  });
});
