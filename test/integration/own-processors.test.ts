import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Problem, Progress, Upload } from '../../src/wire/documents.ts';
import { getJson, putFile, requestJson } from '../helpers/client.ts';
import { compiledForStart } from '../helpers/compiled.ts';
import { endWithNothingLeft } from '../helpers/end-with-nothing-left.ts';
import { eventually } from '../helpers/eventually.ts';
import { isAlive } from '../helpers/is-alive.ts';
import { LONG_HOLD_MS } from '../helpers/long-hold.ts';
import { API_ENTRY, startService, WORKER_ENTRY, type Service } from '../helpers/service.ts';
import { filesOfUpload } from '../helpers/stored-files.ts';

/** The type of a file whose first bytes are `%PDF-`. */
const PDF = Buffer.from('%PDF-1.7\n');
const WAIT = `?timeout=${LONG_HOLD_MS}`;

let folder: string;
let service: Service;

/** Creates a module for texts, outside of any project, and a program for PDF files. Both obey commands in the file. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'du-processors-'));
  await writeFile(
    join(folder, 'note.mjs'),
    `import { readFileSync } from 'node:fs';
     import { defineProcessor } from 'deferred-uploads';
     const issues = [{ message: 'must be a boolean', path: ['shout'] }];
     const validate = (value) => ['undefined', 'boolean'].includes(typeof value.shout) ? { value } : { issues };
     const options = { '~standard': { version: 1, vendor: 'test', validate } };
     const sniff = ({ head }) => head.toString().startsWith('note:') ? 'text/x-note' : undefined;
     export default defineProcessor({
       kind: { name: 'note', types: ['text/x-note'], options, sniff },
       load: async () => async (context) => {
         const text = readFileSync(context.inputPath, 'utf8').slice(5);
         if (text === 'spin') for (;;);
         if (text === 'crash') process.abort();
         return { text: context.options.shout ? text.toUpperCase() : text };
       },
     });`,
  );
  await writeFile(
    join(folder, 'pdf.sh'),
    `case "$(tail -n 1 "$1")" in
       wait) echo $$ > pid; sleep 600 ;;
       *) sleep 0.2; printf 'a page' > "$2/page-1.png"; echo '{"file":"page-1.png"}'; echo '{"result":{"pages":1}}' ;;
     esac`,
  );
  await writeFile(
    join(folder, 'pdf.json'),
    JSON.stringify({ name: 'pdf', types: ['application/pdf'], command: ['sh', './pdf.sh'], timeoutMs: 600_000 }),
  );
  service = await startService({
    env: { PROCESSORS: `${folder}/note.mjs,${folder}/pdf.json`, ATTEMPT_TIMEOUT_MS: '1000' },
  });
});
endWithNothingLeft(() => service);
afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function put(bytes: Buffer | string, query = WAIT): Promise<Upload> {
  return (await putFile<Upload>(service.url, randomUUID(), Buffer.from(bytes), 'a', query)).body;
}

describe('a module in PROCESSORS', () => {
  test('processes files of its types with their options', async () => {
    const options = encodeURIComponent('{"shout":true}');
    expect(await put('note:hello', `${WAIT}&options=${options}`)).toMatchObject({
      state: 'completed',
      file: { type: 'text/x-note' },
      result: { kind: 'note', text: 'HELLO' },
    });
    const id = randomUUID();
    const bad = encodeURIComponent('{"shout":1}');
    const refused = await putFile<Problem>(service.url, id, Buffer.from('note:a'), 'a', `?options=${bad}`);
    expect([refused.status, refused.body.detail]).toEqual([400, 'options.shout must be a boolean.']);
  });

  test('fails a file that blocks its event loop twice, or that crashes it three times', async () => {
    const [slow, crashing] = await Promise.all([put('note:spin'), put('note:crash')]);
    expect(slow).toMatchObject({ state: 'failed', error: { code: 'file_timeout' }, progress: { attempt: 2 } });
    expect(crashing).toMatchObject({
      state: 'failed',
      error: { code: 'file_crashes_worker' },
      progress: { attempt: 3 },
    });
  });
});

describe('a program in PROCESSORS', () => {
  test('processes files, and a request for its file is held until the file exists', async () => {
    const id = randomUUID();
    const { body } = await putFile<Upload>(service.url, id, PDF, 'a.pdf');
    const page = await fetch(`${service.url}/variants/${body.publicId}/page-1.png${WAIT}`);
    expect([page.status, page.headers.get('content-type'), await page.text()]).toEqual([200, 'image/png', 'a page']);
    const { body: done } = await getJson<Upload>(`${service.url}/uploads/${id}/result${WAIT}`);
    expect(done.result).toEqual({ kind: 'pdf', pages: 1 });
    expect((await fetch(`${service.url}/variants/${body.publicId}/page-2.png`)).status).toBe(404);
  });

  test('is stopped if its upload is cancelled, and nothing of it is left', async () => {
    const id = randomUUID();
    await putFile<Upload>(service.url, id, Buffer.concat([PDF, Buffer.from('wait\n')]), 'a.pdf');
    const pid = await eventually('the program to begin', async () =>
      existsSync(join(folder, 'pid')) ? Number(await readFile(join(folder, 'pid'), 'utf8')) || undefined : undefined,
    );
    await eventually('its stage', async () => {
      const { body } = await getJson<Progress>(`${service.url}/uploads/${id}/progress`);
      return body.stage === 'process';
    });
    await requestJson<Upload>(`${service.url}/uploads/${id}/cancel`, { method: 'POST' });
    await eventually('the program to be gone', () => !isAlive(pid));
    await eventually('its files to go', async () => (await filesOfUpload(service.directory, id)).length === 0);
  });
});

test('the API reference lists the types, options and results of added kinds', async () => {
  const { body } = await getJson<unknown>(`${service.url}/openapi.json`);
  const text = JSON.stringify(body);
  expect(text).toContain('`text/x-note`, `application/pdf`');
  expect(text).toContain('Options of a file of the kinds note, pdf.');
  expect(body).toMatchObject({
    components: {
      schemas: {
        OtherResult: { properties: { kind: { enum: ['note', 'pdf'] } } },
        Result: { anyOf: [expect.anything(), { properties: { kind: { enum: ['note', 'pdf'] } } }] },
      },
    },
  });
});

describe('a process with a faulty processor', () => {
  const start = (entry: string, PROCESSORS: string) =>
    spawnSync(process.execPath, [compiledForStart(entry)], {
      env: { PATH: process.env['PATH'], PROCESSORS, REDIS_URL: 'redis://127.0.0.1:1' },
      encoding: 'utf8',
    });

  test.each([
    ['API', API_ENTRY],
    ['worker', WORKER_ENTRY],
  ])('ends with exit code 78 and one line (%s)', async (_role, entry) => {
    const path = join(folder, 'throws.mjs');
    await writeFile(path, `throw new Error('no licence');`);
    const { status, stdout, stderr } = start(entry, path);
    expect([status, stdout, stderr]).toEqual([78, '', `deferred-uploads: PROCESSORS: ${path}: no licence\n`]);
  });

  test('ends at its start if it is a worker and a program does not exist', async () => {
    const path = join(folder, 'missing.json');
    await writeFile(path, JSON.stringify({ name: 'a', types: ['a/b'], command: ['./missing.sh'] }));
    const { status, stderr } = start(WORKER_ENTRY, path);
    expect([status, stderr]).toEqual([
      78,
      `deferred-uploads: PROCESSORS: ${path}: the program ./missing.sh does not exist or is not executable\n`,
    ]);
    await writeFile(join(folder, 'missing.sh'), '');
    await chmod(join(folder, 'missing.sh'), 0o600);
    expect(basename(start(WORKER_ENTRY, path).stderr)).toContain('is not executable');
  });
});
