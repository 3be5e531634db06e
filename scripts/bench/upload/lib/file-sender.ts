import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** The request that is sent repeatedly. */
export interface SentFile {
  /** Returns the request line and the headers. */
  head(id: string): string;
  body: readonly Buffer[];
}

/** Bodies up to this size are sent with their headers in one write. */
const SMALL_BYTES = 256 * 1024;

const HEAD_END = '\r\n\r\n';
const SUCCESS = /^HTTP\/1\.1 20[0-6] /;
const CONTENT_LENGTH = /\r\ncontent-length: (\d+)/i;
const CHUNKED = /\r\ntransfer-encoding: chunked/i;
const LAST_CHUNK = '0\r\n\r\n';

/** One client on its own connection. It supports only the HTTP that the servers of this benchmark use. */
export class FileSender {
  readonly #socket: Socket;
  readonly #file: SentFile;
  readonly #small: Buffer | undefined;
  #seen = '';
  #answered: (() => void) | undefined;
  #failed: ((error: Error) => void) | undefined;

  private constructor(socket: Socket, file: SentFile) {
    this.#socket = socket;
    this.#file = file;
    const bytes = file.body.reduce((sum, piece) => sum + piece.length, 0);
    this.#small = bytes <= SMALL_BYTES ? Buffer.concat(file.body) : undefined;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => this.#failed?.(error));
    socket.on('close', () => this.#failed?.(new Error('the server closed the connection')));
  }

  static async connect(port: number, file: SentFile): Promise<FileSender> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new FileSender(socket, file);
  }

  /** Sends the file once. Resolves with its answer, and rejects if the answer is not a success. */
  async send(): Promise<void> {
    const answered = new Promise<void>((resolve, reject) => {
      this.#answered = resolve;
      this.#failed = reject;
    });
    await Promise.all([answered, this.#write(this.#file.head(randomUUID()))]);
  }

  close(): void {
    this.#failed = undefined;
    this.#socket.destroy();
  }

  async #write(head: string): Promise<void> {
    if (this.#small !== undefined) {
      this.#socket.cork();
      this.#socket.write(head, 'latin1');
      this.#socket.write(this.#small);
      this.#socket.uncork();
      return;
    }
    this.#socket.write(head, 'latin1');
    for (const piece of this.#file.body) {
      if (this.#socket.destroyed) return;
      // An error during this wait is reported to `#failed`.
      if (!this.#socket.write(piece)) await new Promise<void>((resolve) => this.#socket.once('drain', resolve));
    }
  }

  #read(chunk: Buffer): void {
    this.#seen += chunk.toString('latin1');
    if (!isWhole(this.#seen)) return;
    const answer = this.#seen;
    this.#seen = '';
    if (SUCCESS.test(answer)) this.#answered?.();
    else this.#failed?.(new Error(`answered with ${answer.slice(0, 600)}`));
  }
}

function isWhole(answer: string): boolean {
  const headEnd = answer.indexOf(HEAD_END);
  if (headEnd < 0) return false;
  const head = answer.slice(0, headEnd);
  if (CHUNKED.test(head)) return answer.endsWith(LAST_CHUNK);
  return answer.length >= headEnd + HEAD_END.length + Number(CONTENT_LENGTH.exec(head)?.[1] ?? 0);
}
