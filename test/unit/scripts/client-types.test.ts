import { expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { clientTypes } from '../../../scripts/client-types.ts';
import { recipe } from '../../e2e/recipes.ts';

const SERVED = resolve('src/client/client.d.ts');

/** The code of somebody who has fetched the two files. The last line is a mistake. */
const SAMPLE = `
import { acceptFiles, createUploadClient, filesOf, selectFiles, UploadError, type Progress } from './client.js';

const client = createUploadClient({ baseUrl: 'https://uploads.example', sendAtOnce: 2 });
const handle = client.upload(new Blob(['x']), { name: 'x.jpg', onProgress: (progress: Progress) => console.log(progress.percent) });
for await (const { state, etaMs } of handle.progress) console.log(state, etaMs);
try {
  const { result } = await handle.result;
  if (result?.kind === 'picture') console.log(result.variants.map(({ url }) => url));
} catch (error) {
  if (error instanceof UploadError) console.log(error.code, error.problem.detail);
}
const { accepted } = selectFiles(await filesOf({}), { ...(await client.limits()), maxFiles: 3 });
acceptFiles(document, (files) => console.log(files.concat(accepted).map(({ name }) => name)));
const wrong: number = handle.id;
`;

test('client.d.ts equals the output of npm run generate', async () => {
  expect(await readFile(SERVED, 'utf8')).toBe(await clientTypes());
});

/** All options that a strict project may have turned on. */
const STRICT = {
  noEmit: true,
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  target: 'es2022',
  module: 'nodenext',
  lib: ['es2022', 'dom', 'dom.iterable', 'dom.asynciterable'],
  types: [],
};

/** Compiles a module beside client.d.ts, and returns what the compiler says. */
async function compile(name: string, code: string, options: object = {}): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'du-types-test-'));
  try {
    await copyFile(SERVED, join(directory, 'client.d.ts'));
    await writeFile(join(directory, 'package.json'), '{"type":"module"}');
    await writeFile(join(directory, name), code);
    const settings = { compilerOptions: { ...STRICT, ...options }, files: [name] };
    await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(settings));
    const compiler = resolve('node_modules/typescript/bin/tsc');
    return await promisify(execFile)(process.execPath, [compiler], { cwd: directory }).then(
      () => '',
      (error: { stdout: string }) => error.stdout.trim(),
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

test('client.d.ts compiles without other files and finds wrong types', async () => {
  expect((await compile('sample.ts', SAMPLE)).split('\n')).toEqual([
    expect.stringMatching(/^sample\.ts\(\d+,7\): error TS2322/),
  ]);
});

test('the TypeScript of docs/client.md compiles in strict mode with the settings that the page names', async () => {
  const settings = /^```json\n(\{\n {2}"compilerOptions"[^]*?)^```$/m.exec(
    await readFile('docs/client.md', 'utf8'),
  )?.[1];
  const { compilerOptions } = JSON.parse(settings ?? '{}') as { compilerOptions: object };
  expect(await compile('narrow.ts', recipe('narrow.ts'), compilerOptions)).toBe('');
});
