import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createSendingFetch } from '../../../src/page/sending-fetch.ts';

/** The parts of an XMLHttpRequest that the function uses. */
class FakeRequest extends EventTarget {
  readonly upload = new EventTarget();
  readonly headers: Record<string, string> = {};
  opened = '';
  status = 200;
  statusText = 'OK';
  responseText = '{}';
  open(method: string, url: string): void {
    this.opened = `${method} ${url}`;
  }
  setRequestHeader(name: string, value: string): void {
    this.headers[name] = value;
  }
  send(): void {}
  abort(): void {
    this.dispatchEvent(new Event('abort'));
  }
  getAllResponseHeaders(): string {
    return 'upload-offset: 700\r\nlocation: /files/a:b\r\n';
  }
  progress(loaded: number): void {
    this.upload.dispatchEvent(Object.assign(new Event('progress'), { loaded }));
  }
}

describe('fetch that counts sent bytes', () => {
  let request: FakeRequest;
  let sent: [id: string, bytes: number][];
  const body = new Blob(['bytes']);
  const plain = jest.fn<typeof fetch>(() => Promise.resolve(new Response('plain')));

  beforeEach(() => {
    jest.useFakeTimers();
    request = new FakeRequest();
    sent = [];
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const counting = (): typeof fetch =>
    createSendingFetch({
      fetch: plain,
      createRequest: () => request as unknown as XMLHttpRequest,
      onSent: (...report) => sent.push(report),
      onAnswer: () => undefined,
    });

  test('reports the bytes of a part from its offset, after the server had time to report them itself', async () => {
    const init = { method: 'PATCH', headers: { 'Upload-Offset': '400' }, body };
    const answer = counting()('/media/files/an-id?x=1', init);
    request.progress(100);
    jest.advanceTimersByTime(3000);
    request.progress(300);
    request.dispatchEvent(new Event('load'));
    const response = await answer;
    expect(sent).toEqual([['an-id', 700]]);
    expect([request.opened, request.headers]).toEqual(['PATCH /media/files/an-id?x=1', { 'upload-offset': '400' }]);
    expect([response.status, response.headers.get('location'), await response.text()]).toEqual([
      200,
      '/files/a:b',
      '{}',
    ]);
  });

  test('reports every sent byte to the client at once, because it shows that the connection is alive', async () => {
    const counted: number[] = [];
    const init = { method: 'PATCH', body, onSent: (bytes: number) => counted.push(bytes) };
    const answer = counting()('/files/an-id', init);
    request.progress(100);
    request.progress(200);
    request.dispatchEvent(new Event('load'));
    await answer;
    expect([counted, sent]).toEqual([[100, 200], []]);
  });

  test('gives an answer without a body for the status 204', async () => {
    request.status = 204;
    const answer = counting()('/files/an-id', { method: 'PATCH', body });
    request.dispatchEvent(new Event('load'));
    expect(await (await answer).text()).toBe('');
  });

  test('rejects like fetch if the request fails or is aborted', async () => {
    const failing = counting()('/uploads/an-id', { method: 'PUT', body });
    request.dispatchEvent(new Event('error'));
    await expect(failing).rejects.toBeInstanceOf(TypeError);
    const controller = new AbortController();
    const aborted = counting()('/uploads/an-id', { method: 'PUT', body, signal: controller.signal });
    controller.abort();
    await expect(aborted).rejects.toHaveProperty('name', 'AbortError');
  });

  test('leaves requests without a file to fetch', async () => {
    expect(await (await counting()('/progress?upload=a', {})).text()).toBe('plain');
  });
});
