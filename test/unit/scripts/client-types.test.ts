import { expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { clientTypes } from '../../../scripts/client-types.ts';

const SERVED = resolve('src/client/client.d.ts');

/** What someone writes who has fetched the two files; the last line is a mistake. */
const SAMPLE = `
import { createUploadClient, UploadError, type Progress } from './client.js';

const client = createUploadClient({ baseUrl: 'https://uploads.example', sendAtOnce: 2 });
const handle = client.upload(new Blob(['x']), { name: 'x.jpg', onProgress: (progress: Progress) => console.log(progress.percent) });
for await (const { state, etaMs } of handle.progress) console.log(state, etaMs);
try {
  const { result } = await handle.result;
  if (result?.kind === 'picture') console.log(result.variants.map(({ url }) => url));
} catch (error) {
  if (error instanceof UploadError) console.log(error.code, error.problem.detail);
}
const wrong: number = handle.id;
`;

test('client.d.ts equals the output of npm run generate', async () => {
  expect(await readFile(SERVED, 'utf8')).toBe(await clientTypes());
});

test('client.d.ts compiles alone and finds wrong types', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'du-types-test-'));
  try {
    await copyFile(SERVED, join(directory, 'client.d.ts'));
    await writeFile(join(directory, 'package.json'), '{"type":"module"}');
    await writeFile(join(directory, 'sample.ts'), SAMPLE);
    const flags = [
      '--noEmit',
      '--strict',
      '--exactOptionalPropertyTypes',
      '--target',
      'es2022',
      '--module',
      'nodenext',
      '--lib',
      'es2022,dom,dom.asynciterable',
    ];
    const compiler = resolve('node_modules/typescript/bin/tsc');
    const failure = await promisify(execFile)(process.execPath, [compiler, ...flags, 'sample.ts'], {
      cwd: directory,
    }).then(
      () => 'no mistake found',
      (error: { stdout: string }) => error.stdout,
    );
    expect(failure.trim().split('\n')).toEqual([expect.stringMatching(/^sample\.ts\(\d+,7\): error TS2322/)]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
