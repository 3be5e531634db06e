import { describe, expect, test } from '@jest/globals';
import { selectFiles, type Restrictions } from '../../../src/client/select-files.ts';

const PHOTO = new File(['12345'], 'Harbour.JPG', { type: 'image/jpeg' });
const TABLE = new File(['a,b'], 'prices.csv', { type: 'application/vnd.ms-excel' });
const UNKNOWN = new File(['?'], 'scan.heic');
const ALL = [PHOTO, TABLE, UNKNOWN];

function accepted(restrictions: Restrictions): string[] {
  return selectFiles(ALL, restrictions).accepted.map(({ name }) => name);
}

describe('selectFiles', () => {
  test('accepts everything without restrictions, or with restrictions that are null', () => {
    expect(accepted({})).toHaveLength(3);
    expect(accepted({ accept: null, types: null, maxFileBytes: null, maxFiles: null })).toHaveLength(3);
    expect(accepted({ accept: '*/*' })).toHaveLength(3);
  });

  test.each([
    ['image/*, .csv', ['Harbour.JPG', 'prices.csv']],
    ['image/jpeg,.HEIC', ['Harbour.JPG', 'scan.heic']],
    ['.jpg', ['Harbour.JPG']],
    ['image/png', ['scan.heic']],
  ])('reads accept=%j as an input does, and leaves files without a type to the service', (accept, names) => {
    expect(accepted({ accept })).toEqual(names);
  });

  test('accepts a file whose type or extension is in the list of the service', () => {
    const jpeg = { type: 'image/jpeg', extensions: ['jpg', 'jpeg'] };
    const csv = { type: 'text/csv', extensions: ['csv'] };
    expect(accepted({ types: [jpeg, csv] })).toEqual(['Harbour.JPG', 'prices.csv']);
  });

  test('rejects no name if a type of the service has no known extension', () => {
    expect(
      accepted({
        types: [
          { type: 'image/jpeg', extensions: ['jpg'] },
          { type: 'x/y', extensions: [] },
        ],
      }),
    ).toHaveLength(3);
  });

  test('rejects with the codes of the service, and counts only accepted files', () => {
    const { rejected } = selectFiles([new File([], 'a.txt', { type: 'text/plain' }), PHOTO, PHOTO, TABLE], {
      accept: 'image/*, .csv',
      maxFileBytes: 4,
      maxFiles: 0,
    });
    expect(rejected.map(({ problem }) => problem.code)).toEqual([
      'unsupported_media_type',
      'file_too_large',
      'file_too_large',
      'too_many_files',
    ]);
    expect(selectFiles([PHOTO, PHOTO], { maxFiles: 1 }).accepted).toHaveLength(1);
  });

  test('names the size and the limit in the same unit as people do', () => {
    const large = { size: 117_300_000, type: 'image/jpeg', name: 'a.jpg' } as unknown as File;
    const [first] = selectFiles([large], { maxFileBytes: 100_000_000 }).rejected;
    expect(first?.problem.detail).toBe('The file has 117.3 MB. The limit is 100 MB.');
  });
});
