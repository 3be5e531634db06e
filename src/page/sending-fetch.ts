import type { CountedInit } from '../client/http.ts';

/** Sent bytes are reported only after this time. Earlier counts are too high because of network buffers. */
const REPORT_AFTER_MS = 3000;

/** Statuses whose answers must not have a body. */
const BODILESS_STATUSES: ReadonlySet<number> = new Set([204, 205, 304]);

interface SendingFetchParts {
  fetch: typeof globalThis.fetch;
  createRequest: () => XMLHttpRequest;
  /** Called while a file is being sent, with all bytes of it that have left the browser. */
  onSent: (uploadId: string, bytes: number) => void;
  /** Called with each answer to a file, so the server can be reached. */
  onAnswer: () => void;
}

/**
 * Returns a `fetch` that counts the bytes of a file while it sends them. `fetch` itself does not report them, and a
 * proxy that buffers request bodies hides them from the server.
 */
export function createSendingFetch({
  fetch,
  createRequest,
  onSent,
  onAnswer,
}: SendingFetchParts): typeof globalThis.fetch {
  return (input, init: CountedInit = {}) => {
    const { body } = init;
    if (typeof input !== 'string' || !(body instanceof Blob)) return fetch(input, init);
    const headers = new Headers(init.headers);
    const offset = Number(headers.get('Upload-Offset') ?? 0);
    const uploadId = /\/(?:uploads|files)\/([^/?]+)/.exec(input)?.[1] ?? '';
    const startedAtMs = performance.now();
    const request = createRequest();
    request.open(init.method ?? 'GET', input);
    headers.forEach((value, name) => request.setRequestHeader(name, value));
    request.upload.addEventListener('progress', ({ loaded }) => {
      init.onSent?.(loaded);
      if (performance.now() - startedAtMs >= REPORT_AFTER_MS) onSent(uploadId, offset + loaded);
    });
    return send(request, body, init.signal ?? undefined).then((response) => {
      onAnswer();
      return response;
    });
  };
}

async function send(request: XMLHttpRequest, body: Blob, signal: AbortSignal | undefined): Promise<Response> {
  const abort = (): void => request.abort();
  try {
    return await new Promise<Response>((resolve, reject) => {
      request.addEventListener('load', () => resolve(responseOf(request)));
      request.addEventListener('error', () => reject(new TypeError('The request failed.')));
      request.addEventListener('abort', () => reject(new DOMException('The request was aborted.', 'AbortError')));
      if (signal?.aborted) return reject(new DOMException('The request was aborted.', 'AbortError'));
      signal?.addEventListener('abort', abort);
      request.send(body);
    });
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

function responseOf(request: XMLHttpRequest): Response {
  const { status, statusText, responseText } = request;
  return new Response(BODILESS_STATUSES.has(status) ? null : responseText, {
    status,
    statusText,
    headers: headersOf(request.getAllResponseHeaders()),
  });
}

/** Parses headers, one per line, such as `location: /files/1`. */
function headersOf(text: string): Headers {
  const headers = new Headers();
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return headers;
}
