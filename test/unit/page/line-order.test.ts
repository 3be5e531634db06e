import { describe, expect, test } from '@jest/globals';
import { createLineModel, type LineModel, stateOf } from '../../../src/page/line-model.ts';
import {
  compareRanks,
  hueKey,
  insertionIndex,
  isGallery,
  isPicture,
  type Rank,
  rankOf,
  type Sort,
} from '../../../src/page/line-order.ts';
import { completedUpload, freshProgress, freshUpload, problem } from '../client/documents.ts';

const itself = (rank: Rank): Rank => rank;

const FILE = new File(['x'], 'photo.jpg', { type: 'image/jpeg' });

function line(name: string, patch: Partial<LineModel> = {}): LineModel {
  return { ...createLineModel({ name, sizeBytes: 5 }, FILE), ...patch };
}

function done(dominantColour: string, takenAt: string | null): Partial<LineModel> {
  const upload = completedUpload(freshUpload('an id'));
  if (upload.result?.kind !== 'picture') throw new Error('expected a picture');
  return { upload: { ...upload, result: { ...upload.result, dominantColour, takenAt } } };
}

function order(models: readonly LineModel[], sort: Sort = 'added'): string[] {
  const ranked = models.map((model, place) => ({ model, rank: rankOf(model, stateOf(model), { place, sort }) }));
  return ranked.sort((a, b) => compareRanks(a.rank, b.rank)).map(({ model }) => model.name);
}

describe('order of the lines', () => {
  test('is running, failed, done, cancelled, and the order of the files within each', () => {
    const models = [
      line('done 1', done('#ff0000', null)),
      line('cancelled', { problem: problem('upload_cancelled', 410, '') }),
      line('failed', { problem: problem('picture_damaged', 422, '') }),
      line('waiting'),
      line('needs its file', { file: null, progress: freshProgress('an id') }),
      line('done 2', done('#0000ff', null)),
      line('paused', { phase: 'paused' }),
    ];
    expect(order(models)).toEqual(['waiting', 'paused', 'failed', 'needs its file', 'done 1', 'done 2', 'cancelled']);
  });

  test('of finished pictures can be that of a rainbow, with greys at the end', () => {
    const colours = ['#808080', '#0000ff', '#ff0000', '#00ff00', '#f0f0f0', '#ffff00'];
    const models = [...colours.map((colour) => line(colour, done(colour, null))), line('running')];
    expect(order(models, 'colour')).toEqual([
      'running',
      '#ff0000',
      '#ffff00',
      '#00ff00',
      '#0000ff',
      '#f0f0f0',
      '#808080',
    ]);
    expect(hueKey('none')).toBe(Infinity);
  });

  test('of finished pictures can be the time on the clock of the camera', () => {
    const models = [
      line('unknown', done('#ff0000', null)),
      line('late', done('#ff0000', '2025-06-21T18:04:11+02:00')),
      line('early', done('#ff0000', '2025-06-21T09:00:00-08:00')),
    ];
    expect(order(models, 'taken')).toEqual(['early', 'late', 'unknown']);
  });

  test('gives the place of a line among sorted ones, after equal ones', () => {
    const ranks = [0, 2, 4].map((place) => ({ group: 0, key: 0, place }));
    const at = (place: number, group = 0): number => insertionIndex(ranks, itself, { group, key: 0, place });
    expect([at(-1), at(1), at(2), at(9), at(0, 1)]).toEqual([0, 1, 2, 3, 3]);
    expect(insertionIndex([], itself, { group: 0, key: 0, place: 0 })).toBe(0);
  });
});

describe('gallery', () => {
  test('starts with four pictures and ends with the last one', () => {
    const pictures = ['1.jpg', '2.jpg', '3.jpg', '4.jpg'].map((name) => line(name));
    const table = line('a.csv', { file: new File(['x'], 'a.csv') });
    expect(isGallery([...pictures.slice(0, 3), table], false)).toBe(false);
    expect(isGallery([...pictures, table], false)).toBe(true);
    expect([isGallery([...pictures.slice(0, 1), table], true), isGallery([table], true)]).toEqual([true, false]);
  });

  test('contains files with the name or type of a picture, and results that are pictures', () => {
    const unnamed = line('scan', { file: new File(['x'], 'scan', { type: 'image/png' }) });
    const pdf = line('a.pdf', { file: new File(['x'], 'a.pdf', { type: 'application/pdf' }) });
    expect([line('a.HEIC', { file: null }), unnamed, pdf, line('a.csv')].map(isPicture)).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(isPicture(line('a.bin', { ...done('#ff0000', null), file: null }))).toBe(true);
  });
});
