import { requestJson, type JsonAnswer } from './client.ts';

/** A raw upload of which a part has yet to be sent. */
export interface HalfSent<Body> {
  readonly answer: Promise<JsonAnswer<Body>>;
  /** Sends the rest. Safe to call twice. */
  readonly finish: () => void;
}

/** Sends the first half of a file to the URL of an upload, and the rest once it is told to. */
export function putInHalves<Body>(url: string, bytes: Buffer): HalfSent<Body> {
  let finish = (): void => undefined;
  const told = new Promise<void>((resolve) => (finish = resolve));
  async function* halves(): AsyncGenerator<Buffer> {
    yield bytes.subarray(0, bytes.length / 2);
    await told;
    yield bytes.subarray(bytes.length / 2);
  }
  // The types of fetch know neither such a body nor what it takes.
  const init = { method: 'PUT', body: halves() as unknown as BodyInit, duplex: 'half' } as RequestInit;
  return { answer: requestJson<Body>(url, init), finish };
}
