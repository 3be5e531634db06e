import '../../../helpers/one-realm.ts';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadOwnProcessors } from '../../../../src/kinds/own/load-processors.ts';
import { ownEntries } from '../../../../workers/own/own-entries.ts';
import type { AnyResult } from '../../../../workers/processor.ts';
import { UnprocessableError } from '../../../../workers/unprocessable-error.ts';
import { compiled } from '../../../helpers/compiled.ts';
import { fakeContext } from '../../../helpers/process-picture.ts';

const EXAMPLES = resolve('docs/examples/processors');

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'du-examples-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Returns `test`, or `test.skip` if a tool is not installed. The title of the test should name the tool. */
function testWith(tools: readonly string[]): typeof test.skip {
  const isThere = tools.every((tool) => spawnSync(tool, ['-version'], { stdio: 'ignore' }).error === undefined);
  return isThere ? test : test.skip;
}

interface Run {
  result: AnyResult;
  files: Map<string, Buffer>;
}

async function process(source: string, directory: string, bytes: Buffer | string): Promise<Run> {
  const isolatedEntry = pathToFileURL(compiled('workers/own/isolated-main.ts'));
  const processors = await loadOwnProcessors([source], { directory });
  const [entry] = await ownEntries(processors, { attemptTimeoutMs: 60_000, nodeOptions: [], isolatedEntry });
  const path = join(folder, 'original');
  await writeFile(path, bytes);
  const context = fakeContext(path);
  const result = await entry?.run(context, { report: () => undefined });
  if (result === undefined) throw new Error('there is no result');
  return { result, files: context.files };
}

/** Makes a PDF with one page for each text. Readers rebuild the missing table of objects. */
function pdf(...texts: string[]): string {
  const kids = texts.map((_, index) => `${2 * index + 4} 0 R`).join(' ');
  const objects = texts.flatMap((text, index) => {
    const content = `BT /F1 24 Tf 20 100 Td (${text}) Tj ET`;
    const resources = '/Resources<</Font<</F1 3 0 R>>>>';
    const number = 2 * index + 4;
    return [
      `${number} 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents ${number + 1} 0 R${resources}>> endobj`,
      `${number + 1} 0 obj <</Length ${content.length}>> stream\n${content}\nendstream endobj`,
    ];
  });
  return [
    '%PDF-1.4',
    '1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj',
    `2 0 obj <</Type/Pages/Count ${texts.length}/Kids[${kids}]>> endobj`,
    '3 0 obj <</Type/Font/Subtype/Type1/BaseFont/Helvetica>> endobj',
    ...objects,
    'trailer <</Root 1 0 R>>',
    '%%EOF',
  ].join('\n');
}

testWith(['pdfinfo', 'pdftotext', 'pdftoppm'])(
  'the PDF example makes a picture of each page, and the text (needs poppler-utils)',
  async () => {
    const { result, files } = await process('./pdf.json', EXAMPLES, pdf('Harbour', 'Bridge'));
    expect(result).toEqual({ kind: 'pdf', pages: 2 });
    expect([...files.keys()].sort()).toEqual(['page-1.png', 'page-2.png', 'text.txt']);
    expect(files.get('text.txt')?.toString()).toMatch(/Harbour[\s\f]+Bridge/);
    expect(files.get('page-2.png')?.toString('latin1', 1, 4)).toBe('PNG');
    await expect(process('./pdf.json', EXAMPLES, '%PDF-1.4 nothing')).rejects.toBeInstanceOf(UnprocessableError);
  },
  60_000,
);

testWith(['ffmpeg', 'ffprobe'])(
  'the video example finds the facts and a poster frame (needs ffmpeg)',
  async () => {
    const path = join(folder, 'source.mp4');
    const made = ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=duration=1:size=64x48:rate=5', '-c:v', 'mpeg4', path];
    expect(spawnSync('ffmpeg', made).status).toBe(0);
    const { result, files } = await process('./video.json', EXAMPLES, readFileSync(path));
    expect(result).toMatchObject({
      kind: 'video',
      video: { streams: [{ codec_type: 'video', width: 64, height: 48 }], format: { duration: '1.000000' } },
    });
    expect(files.get('poster.jpg')?.subarray(0, 2)).toEqual(Buffer.from([0xff, 0xd8]));
    await expect(process('./video.json', EXAMPLES, 'nothing')).rejects.toBeInstanceOf(UnprocessableError);
  },
  60_000,
);

testWith(['python3'])('the example in Python counts words (needs python3)', async () => {
  const { result, files } = await process('./words.json', EXAMPLES, 'the sea and the sky');
  expect(result).toEqual({ kind: 'words', words: 5, different: 4 });
  expect(JSON.parse(files.get('counts.json')?.toString() ?? '')).toMatchObject({ the: 2, sea: 1 });
  await expect(process('./words.json', EXAMPLES, '…')).rejects.toMatchObject({ detail: 'The text has no words.' });
});

test('the example of a module reads subtitles', async () => {
  const packageFolder = join(folder, 'node_modules/deferred-uploads');
  await mkdir(packageFolder, { recursive: true });
  await writeFile(join(packageFolder, 'package.json'), '{"type":"module","exports":"./index.js"}');
  const definition = pathToFileURL(compiled('src/kinds/own/definition.ts')).href;
  await writeFile(join(packageFolder, 'index.js'), `export * from '${definition}';`);
  for (const name of ['subtitles.mjs', 'read-subtitles.mjs']) await copyFile(join(EXAMPLES, name), join(folder, name));
  const text = 'WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n\n00:03.000 --> 00:04.000\nGood\nbye\n';
  const { result, files } = await process('./subtitles.mjs', folder, text);
  expect(result).toMatchObject({ kind: 'subtitles', cues: 2, file: { name: 'cues.json' } });
  expect(JSON.parse(files.get('cues.json')?.toString() ?? '')).toEqual([
    { from: '00:01.000', to: '00:02.000', words: 'Hello' },
    { from: '00:03.000', to: '00:04.000', words: 'Good\nbye' },
  ]);
});

test('the page about processors shows the examples as they are', () => {
  const page = readFileSync('docs/processors.md', 'utf8');
  for (const name of ['words.py', 'words.json', 'subtitles.mjs', 'read-subtitles.mjs'])
    expect(page).toContain(readFileSync(join(EXAMPLES, name), 'utf8'));
});
