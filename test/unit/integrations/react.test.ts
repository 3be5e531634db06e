import { describe, expect, test } from '@jest/globals';
import { createElement } from 'react';
import { useUpload, useUploads } from '../../../src/integrations/react/react.ts';
import { clientError } from '../../../src/client/upload-error.ts';
import { createUploads } from '../../../src/integrations/react/uploads.ts';
import { until } from '../client/until.ts';
import { createFakeClient } from './fake-client.ts';

const PHOTO = new File(['bytes'], 'harbour.jpg', { type: 'image/jpeg' });

function setUp(options: { onUnmount?: 'continue' | 'cancel'; baseUrl?: string } = {}) {
  const client = createFakeClient();
  const uploads = createUploads({ client, ...options });
  const sent = (number = 0) => {
    const upload = client.uploads[number];
    if (upload === undefined) throw new Error(`there is no upload ${number}`);
    return upload;
  };
  const view = (number = 0) => {
    const found = uploads.getSnapshot()[number];
    if (found === undefined) throw new Error(`the list has no upload ${number}`);
    return found;
  };
  return { client, uploads, sent, view };
}

describe('the uploads of a component', () => {
  test('show the percent and the state of each progress', () => {
    const { uploads, sent, view } = setUp();
    uploads.send([PHOTO, PHOTO]);
    sent(1).move({ state: 'processing', percent: 70 });
    expect(view(0)).toMatchObject({ name: 'harbour.jpg', phase: 'waiting', percent: 0, state: null, progress: null });
    expect(view(1)).toMatchObject({ phase: 'sending', percent: 70, state: 'processing', progress: { percent: 70 } });
  });

  test('show the result, the upload and the address of the largest picture together with the end', async () => {
    const { uploads, sent, view } = setUp({ baseUrl: 'https://uploads.example/' });
    uploads.send([PHOTO]);
    const seen: (string | boolean)[] = [];
    uploads.subscribe(() => seen.push(view().phase, view().result !== null));
    const done = sent().complete();
    await until(() => view().phase === 'over');
    expect(view()).toMatchObject({ percent: 100, state: 'completed', upload: done, error: null });
    expect(view().url).toBe(`https://uploads.example${done.links.variants}/1600`);
    expect(seen.slice(-2)).toEqual(['over', true]);
    expect(seen.filter((one) => one === 'over')).toHaveLength(1);
  });

  test('show why the client retries, until it goes on', () => {
    const { uploads, sent, view } = setUp();
    uploads.send([PHOTO]);
    const { problem } = clientError('connection_lost');
    sent().options.onPhase?.('retrying', problem);
    expect(view()).toMatchObject({ phase: 'retrying', problem });
    sent().options.onPhase?.('sending');
    expect(view()).toMatchObject({ phase: 'sending', problem: null });
  });

  test('keep the same snapshot until something changes', () => {
    const { uploads, sent } = setUp();
    uploads.send([PHOTO]);
    const before = uploads.getSnapshot();
    expect(uploads.getSnapshot()).toBe(before);
    sent().move({ percent: 10 });
    expect(uploads.getSnapshot()).not.toBe(before);
    expect(uploads.getSnapshot()[0]?.cancel).toBe(before[0]?.cancel);
  });

  test('notify no listener after it has unsubscribed', () => {
    const { uploads, sent } = setUp();
    uploads.send([PHOTO]);
    let count = 0;
    uploads.subscribe(() => (count += 1))();
    sent().move({ percent: 10 });
    expect(count).toBe(0);
  });

  test('show the error of the server, and send the file again as a new upload at a retry', async () => {
    const { uploads, sent, view, client } = setUp();
    const [first] = uploads.send([PHOTO]);
    expect(first?.retry()).toBe(false);
    sent().fail('picture_damaged', 'The picture is damaged.');
    await until(() => view().error !== null);
    expect(view()).toMatchObject({ phase: 'over', error: { message: 'The picture is damaged.' }, result: null });
    expect(view().retry()).toBe(true);
    expect(client.uploads[1]?.options.id).toBeUndefined();
    expect(view()).toMatchObject({ key: first?.key, id: 'upload-2', error: null, percent: 0, phase: 'waiting' });
  });

  test('keep the id at a retry if the outcome on the server is unknown', async () => {
    const { uploads, sent, view } = setUp();
    uploads.send([PHOTO], { options: { gps: true } });
    sent().fail('connection_lost', 'The server could not be reached.');
    await until(() => view().error !== null);
    view().retry();
    expect(sent(1).options).toMatchObject({ id: 'upload-1', options: { gps: true } });
    expect(sent(1).file).toBe(PHOTO);
  });

  test('ignore late reports of the upload before a retry', async () => {
    const { uploads, sent, view } = setUp();
    uploads.send([PHOTO]);
    sent().fail('connection_lost', 'The server could not be reached.');
    await until(() => view().error !== null);
    view().retry();
    sent(0).options.onPhase?.('following');
    expect(view().phase).toBe('waiting');
  });

  test('pause, resume and cancel an upload', async () => {
    const { uploads, sent, view } = setUp();
    uploads.send([PHOTO]);
    expect(view().pause()).toBe(true);
    expect(view().phase).toBe('paused');
    expect(view().resume()).toBe(true);
    await view().cancel();
    await until(() => view().phase === 'over');
    expect([sent().isCancelled, view().error?.code]).toEqual([true, 'upload_cancelled']);
  });

  test('cancel an upload that is removed before its end', () => {
    const { uploads, sent, view } = setUp();
    uploads.send([PHOTO]);
    view().remove();
    expect([uploads.getSnapshot(), sent().isCancelled]).toEqual([[], true]);
  });

  test('follow an upload that is already watched', async () => {
    const { uploads, client, view, sent } = setUp();
    client.watch('kept');
    uploads.watch('kept', 'harbour.jpg');
    sent().move({ state: 'queued', percent: 40 });
    await until(() => view().percent === 40);
    expect(view()).toMatchObject({ id: 'kept', name: 'harbour.jpg', phase: 'sending', state: 'queued' });
    sent().complete();
    await until(() => view().upload !== null);
    expect(view().retry()).toBe(false);
  });
});

describe('unmounting a component', () => {
  test('lets its uploads continue by default', async () => {
    const { uploads, sent } = setUp();
    const unmount = uploads.mount();
    uploads.send([PHOTO]);
    unmount();
    await Promise.resolve();
    expect(sent().isCancelled).toBe(false);
  });

  test('cancels the unfinished uploads if the option says so', async () => {
    const { uploads, sent, view } = setUp({ onUnmount: 'cancel' });
    const unmount = uploads.mount();
    uploads.send([PHOTO, PHOTO]);
    sent(0).complete();
    await until(() => view().phase === 'over');
    unmount();
    await until(() => sent(1).isCancelled);
    expect(sent(0).isCancelled).toBe(false);
  });

  test('cancels nothing if React mounts it again at once, as in strict mode', async () => {
    const { uploads, sent } = setUp({ onUnmount: 'cancel' });
    const unmount = uploads.mount();
    uploads.send([PHOTO]);
    unmount();
    uploads.mount();
    await Promise.resolve();
    expect(sent().isCancelled).toBe(false);
  });
});

describe('the hooks', () => {
  /** The server part of React has no types. */
  const SERVER: string = 'react-dom/server';

  test('render an empty list on a server, and create no client there', async () => {
    const { renderToString } = (await import(SERVER)) as { renderToString: (element: unknown) => string };
    const Empty = () => {
      const { uploads, send } = useUploads();
      return `${uploads.length} ${typeof send} ${useUpload().upload === null}`;
    };
    expect(renderToString(createElement(Empty, {}))).toBe('0 function true');
  });
});
