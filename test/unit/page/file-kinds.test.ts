import { expect, test } from '@jest/globals';
import { supportedFiles } from '../../../src/page/file-kinds.ts';

test('only pictures and tables of a folder are uploaded', () => {
  const files = [
    new File([], 'a.jpg', { type: 'image/jpeg' }),
    new File([], 'b.TIFF'),
    new File([], 'without an ending', { type: 'image/png' }),
    new File([], 'd.csv', { type: 'application/vnd.ms-excel' }),
    new File([], 'e.xlsx'),
    new File([], '.DS_Store'),
    new File([], 'f.txt', { type: 'text/plain' }),
    new File([], 'csv'),
  ];
  expect(supportedFiles(files).map((file) => file.name)).toEqual([
    'a.jpg',
    'b.TIFF',
    'without an ending',
    'd.csv',
    'e.xlsx',
  ]);
});
