import { requestJson, type JsonAnswer } from './client.ts';

/** A raw upload of which only a part was sent. */
export interface HalfSent<Body> {
  readonly answer: Promise<JsonAnswer<Body>>;
  /** Sends the rest. Safe to call twice. */
  readonly finish: () => void;
}

/** Sends the first half of a file to the URL of an upload, and the rest when `finish` is called. */
export function putInHalves<Body>(url: string, bytes: Buffer, headers: Record<string, string> = {}): HalfSent<Body> {
  let finish = (): void => undefined;
  const isAsked = new Promise<void>((resolve) => (finish = resolve));
  async function* halves(): AsyncGenerator<Buffer> {
    yield bytes.subarray(0, bytes.length / 2);
    await isAsked;
    yield bytes.subarray(bytes.length / 2);
  }
  // The types of fetch have neither a stream as body nor `duplex`.
  const init = { method: 'PUT', headers, body: halves() as unknown as BodyInit, duplex: 'half' } as RequestInit;
  return { answer: requestJson<Body>(url, init), finish };
}
