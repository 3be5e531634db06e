import { once } from 'node:events';
import { request, type Agent, type IncomingMessage } from 'node:http';
import { LAST_PART_HEADER, type Transfer } from '../questions.ts';

/** Bytes of one PATCH, as the docs advise. */
const PART_BYTES = 8 * 1024 * 1024;

const PROTOCOL = { 'Tus-Resumable': '1.0.0' };

/**
 * Creates an upload and sends its bytes in parts over one connection. Resolves with the milliseconds from the last byte
 * of the last part to its answer.
 */
export async function sendInParts(
  agent: Agent,
  { port, path, bytes }: Transfer,
  pieces: readonly Buffer[],
): Promise<number> {
  const created = await ask({ agent, port, method: 'POST', path, headers: { 'Upload-Length': String(bytes) } }, []);
  const address = new URL(created.headers.location ?? '', `http://127.0.0.1:${port}`).pathname;
  let offset = 0;
  let finishMs = 0;
  for (const part of partsOf(pieces)) {
    const isLast = offset + lengthOf(part) === bytes;
    const headers = {
      'Content-Type': 'application/offset+octet-stream',
      'Upload-Offset': String(offset),
      ...(isLast ? { [LAST_PART_HEADER]: 'yes' } : {}),
    };
    const answer = await ask({ agent, port, method: 'PATCH', path: address, headers }, part);
    offset += lengthOf(part);
    finishMs = answer.waitedMs;
  }
  return finishMs;
}

interface Question {
  agent: Agent;
  port: number;
  method: string;
  path: string;
  headers: Record<string, string>;
}

async function ask(
  { agent, port, method, path, headers }: Question,
  body: readonly Buffer[],
): Promise<{ headers: IncomingMessage['headers']; waitedMs: number }> {
  const all = { ...PROTOCOL, 'Content-Length': String(lengthOf(body)), ...headers };
  const sending = request({ agent, host: '127.0.0.1', port, method, path, headers: all });
  const answered = once(sending, 'response');
  for (const piece of body) if (!sending.write(piece)) await Promise.race([once(sending, 'drain'), answered]);
  await new Promise<void>((resolve) => sending.end(resolve));
  const sentAtMs = performance.now();
  const [response] = (await answered) as [IncomingMessage];
  const waitedMs = performance.now() - sentAtMs;
  response.resume();
  await once(response, 'end');
  const { statusCode = 0 } = response;
  if (statusCode < 200 || statusCode > 299) throw new Error(`${method} ${path} was answered with ${statusCode}`);
  return { headers: response.headers, waitedMs };
}

/** Cuts the body into parts of exactly this size, as tus-js-client does. */
function* partsOf(pieces: readonly Buffer[]): Generator<Buffer[]> {
  let part: Buffer[] = [];
  let left = PART_BYTES;
  for (const piece of pieces) {
    for (let rest = piece; rest.length > 0;) {
      const taken = rest.subarray(0, left);
      part.push(taken);
      rest = rest.subarray(taken.length);
      left -= taken.length;
      if (left > 0) continue;
      yield part;
      part = [];
      left = PART_BYTES;
    }
  }
  if (part.length > 0) yield part;
}

function lengthOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}
