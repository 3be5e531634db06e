import { connect, type Socket } from 'node:net';
import { sharedNowUs } from './shared-clock.ts';

/** Receives the events of a poller. */
export interface PollerListener {
  /** Called after a complete answer with status 200. */
  answered(slot: number, version: number, atUs: number): void;
  /** Called when the poller cannot continue. */
  failed(slot: number, why: string): void;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const OK = 'HTTP/1.1 200 ';
const VERSION = Buffer.from('"version":');
const CONTENT_LENGTH = /\r\ncontent-length: (\d+)/i;

/** Each read is parsed before the next one, so all sockets share one buffer. */
const SHARED_BUFFER = Buffer.allocUnsafe(64 * 1024);

/**
 * One client on its own keep-alive connection. It polls, reads the answer and, with `repolls`, polls again at once with
 * the new version. It supports only the HTTP that the servers of these benchmarks use, so that it costs little.
 */
export class LongPoller {
  readonly #slot: number;
  readonly #requestFor: (version: number) => string;
  readonly #listener: PollerListener;
  readonly #socket: Socket;
  /** The beginning of an incomplete answer; usually empty. */
  #partial: Buffer = Buffer.alloc(0);
  /** True if a poll follows each answer. */
  repolls = true;

  /** Opens the connection. `onConnect` is called once. */
  constructor(
    port: number,
    slot: number,
    requestFor: (version: number) => string,
    listener: PollerListener,
    onConnect: () => void,
  ) {
    this.#slot = slot;
    this.#requestFor = requestFor;
    this.#listener = listener;
    this.#socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: {
        buffer: SHARED_BUFFER,
        callback: (length, buffer) => this.#read(Buffer.from(buffer.buffer, buffer.byteOffset, length)),
      },
    });
    this.#socket.once('connect', onConnect);
    this.#socket.on('error', (error) => listener.failed(slot, error.message));
    this.#socket.on('end', () => listener.failed(slot, 'the server closed the connection'));
  }

  poll(version: number): void {
    this.#socket.write(this.#requestFor(version), 'latin1');
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): boolean {
    const atUs = sharedNowUs();
    const seen = this.#partial.length === 0 ? chunk : Buffer.concat([this.#partial, chunk]);
    if (isWhole(seen)) {
      this.#partial = Buffer.alloc(0);
      this.#receive(seen, atUs);
    } else {
      this.#partial = Buffer.from(seen);
    }
    return true;
  }

  #receive(answer: Buffer, atUs: number): void {
    if (answer.toString('latin1', 0, OK.length) !== OK) {
      this.#listener.failed(this.#slot, `answered with ${answer.toString('latin1', 0, 400)}`);
      return;
    }
    const version = versionIn(answer);
    if (this.repolls) this.poll(version);
    this.#listener.answered(this.#slot, version, atUs);
  }
}

function isWhole(answer: Buffer): boolean {
  const headEnd = answer.indexOf(HEAD_END);
  if (headEnd < 0) return false;
  const length = CONTENT_LENGTH.exec(answer.toString('latin1', 0, headEnd))?.[1];
  return answer.length >= headEnd + HEAD_END.length + Number(length ?? 0);
}

/**
 * Returns the last version in an answer. The answer about a job has a version of its own before the value of the job.
 */
function versionIn(answer: Buffer): number {
  const start = answer.lastIndexOf(VERSION) + VERSION.length;
  return Number.parseInt(answer.toString('latin1', start, start + 15), 10);
}
