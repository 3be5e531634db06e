import type { Problem } from '../wire/documents.ts';
import { askApplication } from './ask-application.ts';
import { createOriginProbe } from './origin-probe.ts';
import { clientError, connectionLost, UploadError } from './upload-error.ts';
import { isProblem } from './wire.ts';

/** Headers of the application for each request, or a function that returns them, such as for a gateway. */
export type RequestHeaders = Record<string, string> | (() => Record<string, string> | Promise<Record<string, string>>);

/** Sends every request of the client. */
export interface Http {
  /**
   * Resolves with the JSON body of a 2xx answer that `isExpected` accepts. Everything else rejects with an UploadError,
   * with the code `aborted` after the signal, `connection_lost` if no complete answer arrived, or `cors_blocked` if the
   * server is reachable and the browser blocks its answers.
   */
  request<T>(path: string, isExpected: (value: unknown) => value is T, init?: HttpInit): Promise<T>;
  /** Resolves with the headers of a 2xx answer. Rejects as `request` does. */
  headers(path: string, init: HttpInit): Promise<Headers>;
}

/** A request. The default method is GET. */
export interface HttpInit {
  method?: 'DELETE' | 'GET' | 'HEAD' | 'PATCH' | 'POST' | 'PUT';
  headers?: Record<string, string>;
  body?: Blob;
  signal?: AbortSignal;
  /** Called with the sent bytes of the body, if the `fetch` of the client counts them. */
  onSent?: (bytes: number) => void;
}

/** The argument of a `fetch` that counts sent bytes. The standard one ignores `onSent`. */
export interface CountedInit extends RequestInit {
  onSent?: (bytes: number) => void;
}

/** Sends a body by PUT to an address outside of the service. Rejects as `Http.request` does. */
export type PutPart = (url: string, init: Omit<HttpInit, 'method'>) => Promise<void>;

/** Returns the function that puts parts into a bucket. It sends no headers of the service. */
export function createPutPart(fetch: typeof globalThis.fetch): PutPart {
  return async (url, init) => {
    const response = await fetch(url, { method: 'PUT', ...init }).catch((error: unknown) => {
      throw init.signal?.aborted ? clientError('aborted', error) : connectionLost(error);
    });
    if (!response.ok) throw errorOf(response, undefined);
  };
}

/** @param baseUrl without a slash at the end; empty for the origin of the page. */
export function createHttp(baseUrl: string, fetch: typeof globalThis.fetch, headers: RequestHeaders = {}): Http {
  const probe = createOriginProbe(baseUrl, fetch);

  async function send(path: string, init: HttpInit): Promise<{ response: Response; text: string }> {
    const own = await readHeaders(headers);
    try {
      const all = { cache: 'no-store', ...init, headers: { ...own, ...init.headers } } as const;
      const response = await fetch(`${baseUrl}${path}`, all);
      probe.answered();
      return { response, text: await response.text() };
    } catch (error) {
      if (init.signal?.aborted) throw clientError('aborted', error);
      throw (await probe.isBlocked()) ? clientError('cors_blocked', error) : connectionLost(error);
    }
  }

  async function exchange(path: string, init: HttpInit): Promise<{ response: Response; value: unknown }> {
    const { response, text } = await send(path, init);
    const value = parse(text);
    if (!response.ok) throw errorOf(response, value);
    return { response, value };
  }

  return {
    async request(path, isExpected, init = {}) {
      const { value } = await exchange(path, init);
      if (!isExpected(value)) throw clientError('unexpected_answer');
      return value;
    },
    async headers(path, init) {
      return (await exchange(path, init)).response.headers;
    },
  };
}

/** Returns the headers of the application for one request. Rejects as `askApplication` does. */
export async function readHeaders(headers: RequestHeaders): Promise<Record<string, string>> {
  return typeof headers === 'function' ? await askApplication(headers) : headers;
}

/** Returns the body of a request with a JSON document. */
export function jsonBody(value: object): Blob {
  return new Blob([JSON.stringify(value)], { type: 'application/json' });
}

/** Returns the value of a JSON text, or undefined for any other text. */
export function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

/** Returns the reason of an answer that is not 2xx. `value` is its body. */
export function errorOf(response: Response, value: unknown): UploadError {
  const retryAfterMs = readRetryAfter(response.headers.get('Retry-After'), Date.now());
  return new UploadError(isProblem(value) ? value : problemOf(response), { retryAfterMs });
}

/** Replaces the problem document if a proxy answered, or for HEAD, whose answers have no body. */
function problemOf({ status, statusText }: Response): Problem {
  const title = statusText || 'Error';
  return { type: 'about:blank', title, status, detail: `The server answered ${status}.`, code: `http_${status}` };
}

/** Returns `Retry-After` in milliseconds from now, or null. It may be seconds or a date (RFC 9110 section 10.2.3). */
export function readRetryAfter(value: string | null, nowMs: number): number | null {
  if (value === null) return null;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs);
}
