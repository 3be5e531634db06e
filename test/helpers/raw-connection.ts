import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Problem } from '../../src/wire/documents.ts';

/** A further request on a connection that is still usable. Its answer is a 200. */
export const NEXT_REQUEST = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** One answer as it came. */
export interface RawAnswer {
  status: number;
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>;
  body: string;
  /** `none` if the body is not a problem document. */
  code: string;
  /** Empty if the body is not a problem document. */
  detail: string;
}

/** A connection on which a test sends every byte itself. */
export interface RawConnection {
  /** Resolves when the system has all bytes. Bytes sent after the other side has closed are lost. */
  send(...parts: readonly (Buffer | string)[]): Promise<void>;
  /** Resolves with the next complete answer, including `100 Continue`. Rejects if the connection ends before. */
  answer(): Promise<RawAnswer>;
  /** Closes only the sending side. */
  finish(): void;
  /** Resets the connection, like a client that has crashed. */
  reset(): void;
  /** Resolves with `end`, or with the code of the error, when the other side has closed. */
  readonly ended: Promise<string>;
  /** Safe to call twice. */
  close(): void;
}

/** Opens a connection. Strings are sent as latin1. */
export async function openConnection(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
  await once(socket, 'connect');
  let unread = '';
  let end = '';
  let wake = (): void => undefined;
  socket.on('data', (chunk: Buffer) => {
    unread += chunk.toString('latin1');
    wake();
  });
  const ended = new Promise<string>((resolve) => {
    const finish = (how: string) => {
      end ||= how;
      wake();
      resolve(how);
    };
    socket.once('end', () => finish('end'));
    socket.on('error', (error: Error & { code?: string }) => finish(error.code ?? 'error'));
    socket.once('close', () => finish('closed'));
  });
  return {
    ended,
    send: (...parts) => send(socket, parts),
    async answer() {
      for (;;) {
        const found = firstAnswer(unread);
        if (found !== undefined) {
          unread = unread.slice(found.length);
          return found.answer;
        }
        if (end !== '') throw new Error(`no whole answer before ${end}: ${unread}`);
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    finish: () => void socket.end(),
    reset: () => void socket.resetAndDestroy(),
    close: () => void socket.destroy(),
  };
}

async function send(socket: Socket, parts: readonly (Buffer | string)[]): Promise<void> {
  for (const part of parts) {
    if (!socket.writable) return;
    const bytes = typeof part === 'string' ? Buffer.from(part, 'latin1') : part;
    await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
  }
}

/**
 * Returns the first whole answer in a text, and its length. Every answer of the service with a body has a
 * Content-Length.
 */
function firstAnswer(text: string): { answer: RawAnswer; length: number } | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [statusLine = '', ...lines] = text.slice(0, headEnd).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1]);
  const headers = Object.fromEntries(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const hasNoBody = status < 200 || status === 204 || status === 304;
  const length = headEnd + 4 + (hasNoBody ? 0 : Number(headers['content-length'] ?? 0));
  if (text.length < length) return undefined;
  const body = text.slice(headEnd + 4, length);
  return { answer: { status, headers, body, ...problemIn(headers, body) }, length };
}

function problemIn(headers: Readonly<Record<string, string>>, body: string): { code: string; detail: string } {
  if (!(headers['content-type'] ?? '').startsWith('application/problem+json')) return { code: 'none', detail: '' };
  const { code, detail } = JSON.parse(body) as Problem;
  return { code, detail };
}
