import { describe, expect, test } from '@jest/globals';
import { createFilePondServer, type FilePondServerOptions } from '../../../src/integrations/filepond/filepond.ts';
import { freshUpload, problem } from '../client/documents.ts';
import { until } from '../client/until.ts';
import { createFakeClient } from './fake-client.ts';

const ID = '11111111-1111-4111-8111-111111111111';
const PHOTO = new File(['bytes'], 'harbour.jpg', { type: 'image/jpeg' });

/** Makes the callbacks of FilePond. `calls` has their names and arguments in order. */
function createCallbacks() {
  const calls: unknown[][] = [];
  const record =
    (name: string) =>
    (...args: unknown[]) =>
      void calls.push([name, ...args]);
  const names = () => calls.map(([name]) => name);
  return {
    calls,
    names,
    load: record('load'),
    error: record('error'),
    progress: record('progress'),
    abort: record('abort'),
  };
}

function setUp(options: FilePondServerOptions = {}) {
  const client = createFakeClient();
  const server = createFilePondServer({ client, baseUrl: 'https://uploads.example/', ...options });
  const pond = createCallbacks();
  const process = (metadata = {}) => {
    const { load, error, progress, abort } = pond;
    const { abort: cancel } = server.process('file', PHOTO, metadata, load, error, progress, abort);
    const upload = client.uploads[0];
    if (upload === undefined) throw new Error('nothing was sent');
    return { cancel, upload };
  };
  return { server, pond, process };
}

/** Answers each path, and records the requests. */
function createFetch(answers: Readonly<Record<string, () => Response>>) {
  const requests: string[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = `${init?.method ?? 'GET'} ${input instanceof Request ? input.url : input.toString()}`;
    requests.push(request);
    const answer = answers[request.replace('https://uploads.example', '')];
    if (answer === undefined) throw new TypeError('fetch failed');
    return answer();
  };
  return { fetch, requests };
}

const gone = () => Response.json(problem('upload_gone', 410, 'The upload was deleted.'), { status: 410 });

describe('process', () => {
  test('reports the percent of the service, and the id when the upload is completed', async () => {
    const { pond, process } = setUp();
    const { upload } = process();
    upload.move({ percent: 30 });
    upload.move({ state: 'processing', percent: 70 });
    expect(pond.calls).toEqual([
      ['progress', true, 30, 100],
      ['progress', true, 70, 100],
    ]);
    upload.complete();
    await until(() => pond.names().includes('load'));
    expect(pond.calls.slice(2)).toEqual([
      ['progress', true, 100, 100],
      ['load', upload.id],
    ]);
  });

  test('reports the id once when the bytes are stored, if the option says so', async () => {
    const { pond, process } = setUp({ doneWhen: 'stored' });
    const { upload } = process();
    upload.move({ percent: 30 });
    upload.move({ state: 'queued', percent: 50 });
    expect(pond.calls.at(-1)).toEqual(['load', upload.id]);
    upload.fail('picture_damaged', 'The picture is damaged.');
    await upload.handle.result.catch(() => undefined);
    expect(pond.names()).toEqual(['progress', 'progress', 'load']);
  });

  test('reports an error in the words of the server', async () => {
    const { pond, process } = setUp();
    process().upload.fail('picture_damaged', 'The picture is damaged.');
    await until(() => pond.calls.length > 0);
    expect(pond.calls).toEqual([['error', 'The picture is damaged.']]);
  });

  test('cancels the upload when FilePond aborts it, and reports nothing else', async () => {
    const { pond, process } = setUp();
    const { upload, cancel } = process();
    cancel();
    cancel();
    upload.move({ percent: 40 });
    await upload.handle.result.catch(() => undefined);
    expect([upload.isCancelled, pond.calls]).toEqual([true, [['abort']]]);
  });

  test('sends the options of the processor that the application makes of the metadata', () => {
    const { process } = setUp({ optionsOf: (_file, { keep }) => ({ keepMetadata: keep }) });
    expect(process({ keep: true }).upload.options.options).toEqual({ keepMetadata: true });
  });
});

describe('revert', () => {
  test.each([
    ['deletes the upload', () => new Response(null, { status: 204 })],
    ['accepts an upload that is deleted already', gone],
  ])('%s', async (_title, answer) => {
    const { fetch, requests } = createFetch({ [`DELETE /uploads/${ID}`]: answer });
    const { server, pond } = setUp({ fetch });
    server.revert(ID, pond.load, pond.error);
    await until(() => pond.calls.length > 0);
    expect([pond.calls, requests]).toEqual([[['load']], [`DELETE https://uploads.example/uploads/${ID}`]]);
  });

  test('reports an error in the words of the client without a connection', async () => {
    const { server, pond } = setUp({ fetch: createFetch({}).fetch });
    server.revert(ID, pond.load, pond.error);
    await until(() => pond.calls.length > 0);
    expect(pond.calls).toEqual([['error', expect.stringContaining('could not be reached')]]);
  });
});

describe.each(['restore', 'load'] as const)('%s', (method) => {
  const found = () => Response.json({ ...freshUpload(ID), file: { name: 'ä b.jpg', type: 'image/jpeg', size: 5 } });

  test('reads the file with its name and type, and reports the bytes', async () => {
    const { fetch } = createFetch({
      [`GET /uploads/${ID}`]: found,
      [`GET /uploads/${ID}/content`]: () => new Response('bytes'),
    });
    const { server, pond } = setUp({ fetch });
    server[method](ID, pond.load, pond.error, pond.progress, pond.abort);
    await until(() => pond.names().includes('load'));
    const file = pond.calls.at(-1)?.[1] as File;
    expect([file.name, file.type, await file.text()]).toEqual(['ä b.jpg', 'image/jpeg', 'bytes']);
    expect(pond.calls[0]).toEqual(['progress', true, 5, 5]);
  });

  test.each([
    ['the upload', { [`GET /uploads/${ID}`]: gone }],
    ['its bytes', { [`GET /uploads/${ID}`]: found, [`GET /uploads/${ID}/content`]: gone }],
  ])('reports the words of the server if it does not have %s', async (_part, answers) => {
    const { server, pond } = setUp({ fetch: createFetch(answers).fetch });
    server[method](ID, pond.load, pond.error, pond.progress, pond.abort);
    await until(() => pond.calls.length > 0);
    expect(pond.calls).toEqual([['error', 'The upload was deleted.']]);
  });

  test('sends the headers of the application with both requests', async () => {
    const sent: (string | null)[] = [];
    const fetch: typeof globalThis.fetch = async (input, init) => {
      sent.push(new Headers(init?.headers).get('X-Gateway'));
      const url = input instanceof Request ? input.url : input.toString();
      return url.endsWith('/content') ? new Response('bytes') : found();
    };
    const { server, pond } = setUp({ fetch, headers: async () => ({ 'X-Gateway': 'a key' }) });
    server[method](ID, pond.load, pond.error, pond.progress, pond.abort);
    await until(() => pond.names().includes('load'));
    expect(sent).toEqual(['a key', 'a key']);
  });

  test('ends the request when FilePond aborts it, and reports nothing else', async () => {
    let signal: AbortSignal | null | undefined;
    const fetch: typeof globalThis.fetch = (_input, init) => {
      signal = init?.signal;
      return new Promise((_resolve, reject) =>
        signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError'))),
      );
    };
    const { server, pond } = setUp({ fetch });
    server[method](ID, pond.load, pond.error, pond.progress, pond.abort).abort();
    await new Promise(setImmediate);
    expect([signal?.aborted, pond.calls]).toEqual([true, [['abort']]]);
  });
});
