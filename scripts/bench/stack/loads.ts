import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { photo, type PhotoOptions } from '../../../test/helpers/pictures.ts';
import { CSV_KINDS, writeCsv } from '../tables/csv.ts';

/** Files of one kind that are sent in a round. */
export interface StackLoad {
  readonly title: string;
  readonly bytes: Buffer;
  readonly type: string;
  readonly name: string;
  readonly files: number;
  readonly connections: number;
  /** Files sent before the first round, so that code is compiled. */
  readonly warmUp: number;
  /** Targets of the service over the plain stack, and over the stack with our promise. */
  readonly targets?: { readonly perSecond?: readonly number[]; readonly apiCpu?: readonly number[] };
}

/** How many files of each load are sent in a round. */
export interface LoadSizes {
  photos: number;
  pictures: number;
  icons: number;
  tables: number;
  connections: number;
}

const CAMERA = { make: 'Acme', model: 'One', date: '2026:03:13 18:04:11', offset: '+01:00', iso: '64', gps: true };
const PHONE: PhotoOptions = { width: 4000, height: 3000, orientation: 1, seed: 1, exif: CAMERA };

/** A table with this number of rows has about 1 MB. */
const TABLE_ROWS = 10_000;

/** Makes the files: photos with and without a profile, small pictures, icons, and tables. */
export async function makeLoads(directory: string, sizes: LoadSizes): Promise<StackLoad[]> {
  const { photos, pictures, icons, tables, connections } = sizes;
  const few = { files: photos, connections: 6, warmUp: 4, type: 'image/jpeg', name: 'photo.jpg' };
  const many = { connections, type: 'image/jpeg', name: 'picture.jpg' };
  const csv = { files: tables, connections, warmUp: 16, type: 'text/csv', name: 'table.csv' };
  return [
    {
      title: 'photos of 12 megapixels with a profile',
      bytes: await photo({ ...PHONE, profile: 'p3' }),
      ...few,
      targets: { perSecond: [1.2] },
    },
    {
      title: 'photos of 12 megapixels without a profile',
      bytes: await photo({ width: 4000, height: 3000 }),
      ...few,
      targets: { perSecond: [1.1] },
    },
    {
      title: 'pictures of 1400 × 1050',
      bytes: await photo({ width: 1400, height: 1050, quality: 47 }),
      ...many,
      files: pictures,
      warmUp: 50,
      targets: { apiCpu: [1.6, 0.9] },
    },
    {
      title: 'pictures of 900 × 600',
      bytes: await photo({ width: 900, height: 600, quality: 50 }),
      ...many,
      files: pictures,
      warmUp: 100,
      targets: { perSecond: [0.95, 1.1] },
    },
    { title: 'icons of 64 × 64', bytes: await photo({ width: 64, height: 64 }), ...many, files: icons, warmUp: 200 },
    { title: 'tables of 10,000 rows', bytes: await table(directory), ...csv },
  ];
}

async function table(directory: string): Promise<Buffer> {
  const path = join(directory, 'table.csv');
  const [kind] = CSV_KINDS;
  if (kind === undefined) throw new Error('there is no table');
  await writeCsv(kind, TABLE_ROWS, path);
  return await readFile(path);
}
