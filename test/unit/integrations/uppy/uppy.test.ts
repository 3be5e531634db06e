import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import Uppy, { BasePlugin, type Body, type Meta, type PluginOpts, type State, type UppyFile } from '@uppy/core';
import { createUploadClient, type UploadClient } from '../../../../src/client/upload-client.ts';
import { DeferredUploads } from '../../../../src/integrations/uppy/uppy.ts';
import { freshUpload, problem } from '../../client/documents.ts';
import { FakeService } from '../../client/fake-service.ts';
import { until } from '../../client/until.ts';

const A = '11111111-1111-4111-8111-111111111111';
const B = '22222222-2222-4222-8222-222222222222';

type TestUppy = Uppy<Meta, Body>;
type TestFile = UppyFile<Meta, Body>;
type Answer = NonNullable<TestFile['response']>;

let service: FakeService;
let client: UploadClient;
let uppy: TestUppy;
/** Each value of the total that a user interface shows. */
let totals: number[];

/** Shows the last state of each tick, as the user interfaces of Uppy do. */
class Screen extends BasePlugin<PluginOpts, Meta, Body> {
  #latest: Partial<State<Meta, Body>> | null = null;

  constructor(owner: TestUppy, options?: PluginOpts) {
    super(owner, options);
    this.id = 'Screen';
    this.type = 'progressindicator';
  }

  override update(state: Partial<State<Meta, Body>>): void {
    if (!this.#latest) queueMicrotask(() => this.#render());
    this.#latest = state;
  }

  #render(): void {
    totals.push(this.#latest?.totalProgress ?? 0);
    this.#latest = null;
  }
}

beforeEach(async () => {
  service = new FakeService();
  client = createUploadClient({
    baseUrl: await service.start(),
    gapMs: 5,
    firstRetryMs: 10,
    longestRetryMs: 40,
    giveUpAfterMs: 100,
  });
  uppy = createUppy();
});

afterEach(async () => {
  uppy.destroy();
  client.close();
  await service.stop();
});

function createUppy(): TestUppy {
  const created: TestUppy = new Uppy<Meta, Body>({
    infoTimeout: 1,
    logger: { debug: ignore, warn: ignore, error: ignore },
  });
  totals = [];
  created.use(Screen);
  created.use(DeferredUploads, { client });
  return created;
}

function ignore(): void {}

/** Replaces the uploader, because Uppy's own uploaders need a browser. */
function sendsAs(answerTo: (file: TestFile) => Answer): void {
  uppy.addUploader(async (fileIds) => {
    uppy.emit('upload-start', uppy.getFilesByIds(fileIds));
    for (const fileId of fileIds) {
      for (const bytesUploaded of [50, 100]) {
        uppy.emit('upload-progress', uppy.getFile(fileId), { uploadStarted: 1, bytesUploaded, bytesTotal: 100 });
        await Promise.resolve();
      }
      uppy.emit('upload-success', uppy.getFile(fileId), answerTo(uppy.getFile(fileId)));
    }
  });
}

function addFile(name: string): string {
  return uppy.addFile({ name, type: 'image/jpeg', data: new Blob([new Uint8Array(100)]) });
}

/** Returns the answer to a form, for a file that is named after the id. */
function formAnswer(id: string): Answer {
  return { status: 202, body: { uploads: [service.uploads.get(id)] } };
}

function fileOf(fileId: string): TestFile {
  return uppy.getFile(fileId);
}

describe('the Uppy plugin', () => {
  beforeEach(() => {
    service.uploads.set(A, freshUpload(A));
    service.uploads.set(B, freshUpload(B));
  });

  test('puts the result beside the rest of the response', async () => {
    sendsAs(() => formAnswer(A));
    const fileId = addFile('a.jpg');
    const outcome = uppy.upload();
    await until(() => service.progressRequests.length > 0);
    service.complete(A);
    expect((await outcome)?.successful).toHaveLength(1);
    const { response, progress } = fileOf(fileId);
    expect(response?.status).toBe(202);
    expect(response?.body?.['uploads']).toBeDefined();
    expect(response?.body?.['result']).toMatchObject({ kind: 'picture' });
    expect(progress).toMatchObject({ complete: true, percentage: 100 });
    expect(progress.postprocess).toBeUndefined();
  });

  test('finds the upload by the last part of the address that tus gave', async () => {
    sendsAs(() => ({ status: 200, uploadURL: `https://uploads.example/files/${B}`, body: { xhr: {} } }));
    addFile('a.jpg');
    service.complete(B);
    const outcome = await uppy.upload();
    expect(outcome?.successful?.[0]?.response?.body).toMatchObject({ xhr: {}, result: { kind: 'picture' } });
  });

  test('continues the percent of the transfer with the percent of the service, and shows place and stage', async () => {
    sendsAs(() => formAnswer(A));
    const fileId = addFile('a.jpg');
    const outcome = uppy.upload();
    service.move(A, { state: 'queued', stage: 'queue', percent: 30, queuePosition: 4 });
    await until(() => fileOf(fileId).progress.postprocess?.message === 'Waiting: number 4 in the queue');
    service.move(A, { state: 'processing', stage: 'variants', percent: 65, queuePosition: null });
    await until(() => fileOf(fileId).progress.percentage === 65);
    expect(fileOf(fileId).progress).toMatchObject({
      bytesUploaded: 100,
      postprocess: { mode: 'determinate', value: 0.65, message: 'Processing: variants' },
    });
    expect(uppy.getState().totalProgress).toBe(65);
    service.complete(A);
    await outcome;
    await until(() => totals.at(-1) === 100);
    expect(totals).toEqual(totals.toSorted((one, other) => one - other));
  });

  test('never lets the mean percent of the unfinished files go back when another file completes', async () => {
    sendsAs(({ name }) => formAnswer(name));
    const [first, second] = [addFile(A), addFile(B)];
    const outcome = uppy.upload();
    service.move(B, { state: 'processing', stage: 'variants', percent: 40 });
    await until(() => fileOf(second).progress.percentage === 40);
    service.complete(A);
    await until(() => fileOf(first).progress.complete === true);
    await until(() => uppy.getState().totalProgress === 70);
    expect(fileOf(second).progress.postprocess).toMatchObject({ value: 0.7 });
    service.complete(B);
    await outcome;
    await until(() => totals.at(-1) === 100);
    expect(totals).toEqual(totals.toSorted((one, other) => one - other));
  });

  test('fails the file with the words of the problem, and keeps its response', async () => {
    sendsAs(() => formAnswer(A));
    const fileId = addFile('a.jpg');
    const errors: string[] = [];
    uppy.on('upload-error', (_file, error) => errors.push(error.message));
    const outcome = uppy.upload();
    service.fail(A, problem('picture_damaged', 422, 'It ends too early.', { final: true }));
    expect((await outcome)?.failed).toHaveLength(1);
    expect(errors).toEqual(['It ends too early.']);
    expect(fileOf(fileId).error).toBe('It ends too early.');
    expect(fileOf(fileId).response?.status).toBe(202);
    expect(fileOf(fileId).progress.postprocess).toBeUndefined();
  });

  test('shows the error of a file in the state only when no other file is under way', async () => {
    sendsAs(({ name }) => formAnswer(name));
    const [first] = [addFile(A), addFile(B)];
    const outcome = uppy.upload();
    service.fail(A, problem('picture_damaged', 422, 'It ends too early.', { final: true }));
    await until(() => fileOf(first).error !== undefined && fileOf(first).error !== null);
    await until(() => uppy.getState().error === null);
    service.complete(B);
    expect((await outcome)?.successful).toHaveLength(1);
    expect(uppy.getState().error).toBe('It ends too early.');
  });

  test('processes a retried file again', async () => {
    const ids = [A, B];
    sendsAs(() => formAnswer(ids.shift() ?? B));
    addFile('a.jpg');
    service.fail(A, problem('picture_damaged', 422, 'It ends too early.', { final: true }));
    await uppy.upload();
    service.complete(B);
    const outcome = await uppy.retryAll();
    expect(outcome?.successful?.[0]?.response?.body?.['result']).toMatchObject({ kind: 'picture' });
  });

  test('fails a file whose answer names no upload', async () => {
    sendsAs(() => ({ status: 200, body: { fine: true } }));
    addFile('a.jpg');
    expect((await uppy.upload())?.failed?.[0]?.error).toContain('names no upload');
  });

  test('cancels the upload of a removed file, and the batch goes on', async () => {
    sendsAs(({ name }) => formAnswer(name));
    const [first] = [addFile(A), addFile(B)];
    const outcome = uppy.upload();
    await until(() => service.progressRequests.length > 0);
    uppy.removeFile(first);
    service.complete(B);
    expect((await outcome)?.successful).toHaveLength(1);
    await until(() => service.requests.includes(`POST /uploads/${A}/cancel`));
    expect(service.requests).not.toContain(`POST /uploads/${B}/cancel`);
  });

  test('cancels all uploads of cancelAll', async () => {
    sendsAs(({ name }) => formAnswer(name));
    addFile(A);
    addFile(B);
    const outcome = uppy.upload();
    await until(() => service.progressRequests.length > 0);
    uppy.cancelAll();
    await outcome;
    await until(() => service.requests.filter((line) => line.endsWith('/cancel')).length === 2);
  });

  test('continues to watch restored files, and a restored batch waits for them', async () => {
    sendsAs(() => formAnswer(A));
    const fileId = addFile('a.jpg');
    void uppy.upload();
    await until(() => fileOf(fileId).progress.postprocess?.mode === 'determinate');
    const { files, currentUploads } = uppy.getState();
    const [batch = ''] = Object.keys(currentUploads);
    uppy = createUppy();
    uppy.setState({
      files: withoutData(files),
      currentUploads: { [batch]: { fileIDs: [fileId], step: 0, result: {} } },
    });
    uppy.emit('restored', {});
    service.move(A, { state: 'processing', stage: 'variants', percent: 80 });
    await until(() => uppy.getState().totalProgress === 80);
    const outcome = uppy.restore(batch);
    service.complete(A);
    expect((await outcome)?.successful?.[0]?.response?.body?.['result']).toMatchObject({ kind: 'picture' });
  });

  test('watches 100 files with one held request at a time', async () => {
    sendsAs(({ name }) => formAnswer(name));
    const ids = Array.from({ length: 100 }, (_, n) => A.replace(/1{12}$/, String(n).padStart(12, '0')));
    for (const id of ids) {
      service.uploads.set(id, freshUpload(id));
      addFile(id);
    }
    const outcome = uppy.upload();
    await until(() => service.progressRequests.some(({ versions }) => Object.keys(versions).length === 100));
    expect(service.progressRequests.filter(({ endedAtMs }) => endedAtMs === null).length).toBeLessThanOrEqual(1);
    for (const id of ids) service.complete(id);
    expect((await outcome)?.successful).toHaveLength(100);
  });
});

/** Returns the files without their bytes, as Golden Retriever stores them. */
function withoutData(files: Record<string, TestFile>): Record<string, TestFile> {
  return JSON.parse(JSON.stringify(files)) as Record<string, TestFile>;
}
