import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../errors.ts';
import { readBody } from './body.ts';

/** Default of the maximum size. Only a list of parts may be longer. */
const MAX_BYTES = 65_536;

/** A client that needs longer for a JSON body is stuck. */
const TIMEOUT_MS = 10_000;

/**
 * Reads and parses a body of JSON. Every Content-Type is accepted, because curl sends that of a form by default. Throws
 * `bad_request` (400) if it is not JSON, `request_too_large` (413), `request_timeout` (408), and as `readBody` does.
 */
export async function readJsonBody(request: IncomingMessage, maxBytes = MAX_BYTES): Promise<unknown> {
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(new ServiceError('request_timeout', 'The body took too long. Send the request again.')),
    TIMEOUT_MS,
  );
  try {
    return parseJson(await readAll(request, late.signal, maxBytes));
  } finally {
    clearTimeout(timer);
  }
}

async function readAll(request: IncomingMessage, signal: AbortSignal, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of readBody(request, signal)) {
    bytes += chunk.length;
    if (bytes > maxBytes)
      throw new ServiceError('request_too_large', `The body has more than ${maxBytes} bytes. Send less JSON.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ServiceError('bad_request', 'The body is not JSON. Send a JSON object.', { cause: error });
  }
}
