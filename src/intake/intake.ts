import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../errors.ts';
import type { RequestScope } from '../http/request-scope.ts';
import { fileTooLarge } from './byte-limiter.ts';
import type { IntakeParts } from './incoming-upload.ts';
import { requestTooLarge, requireIdentityEncoding } from './multipart.ts';
import { receiveMultipart, type IntakeLimits } from './multipart-intake.ts';
import { receiveRaw } from './raw-intake.ts';
import type { ReceivedUpload } from './read-received.ts';
import { OpenUploads, type OpenUploadLimits } from './open-uploads.ts';
import { SenderPace } from './sender-pace.ts';
import { watchForStall } from './stall-timer.ts';

/** Limits of the intake, and how slow a sender may be. */
export interface IntakeSettings extends IntakeLimits, OpenUploadLimits {
  stallTimeoutMs: number;
  /** The least average over a minute; 0 means none. */
  minBytesPerS: number;
}

/** The head of a raw upload. */
export interface RawHead {
  id: string;
  fileName: string;
  options: unknown;
}

/**
 * Where request bodies become uploads. It refuses by the headers what they can tell, watches for senders
 * that stall, and ends what is under way when the process stops.
 */
export class UploadIntake {
  readonly #parts: IntakeParts;
  readonly #settings: IntakeSettings;
  readonly #open: OpenUploads;
  readonly #receiving = new Set<AbortController>();
  #idle: (() => void) | undefined;

  constructor(parts: IntakeParts, settings: IntakeSettings) {
    this.#parts = parts;
    this.#settings = settings;
    this.#open = new OpenUploads(settings);
  }

  /** Requests whose bodies are being received now. */
  get receiving(): number {
    return this.#receiving.size;
  }

  /**
   * All files of a multipart request; see `receiveMultipart`. Before reading it throws `request_too_large` (413) where the
   * headers tell, and `queue_full` (503) or `too_many_queued_by_address` (429) where not even one file would find room.
   */
  async receiveForm(scope: RequestScope, request: IncomingMessage): Promise<ReceivedUpload[]> {
    const { maxRequestBytes } = this.#settings;
    if ((announcedBytes(request) ?? 0) > maxRequestBytes) throw requestTooLarge(maxRequestBytes);
    return await this.whileReceiving(scope, request, async (signal) => {
      await this.#parts.admission.requireCapacity(scope.address);
      return await receiveMultipart(this.#parts, scope, { request, limits: this.#settings, signal });
    });
  }

  /** A raw body as one file; see `receiveRaw`. Throws `file_too_large` (413) before reading where the headers tell. */
  async receiveRaw(scope: RequestScope, request: IncomingMessage, head: RawHead): Promise<ReceivedUpload> {
    const totalBytes = announcedBytes(request);
    const maxBytes = this.#settings.maxFileBytes;
    if ((totalBytes ?? 0) > maxBytes) throw fileTooLarge(maxBytes);
    requireIdentityEncoding(request);
    requireWholeFile(request);
    return await this.whileReceiving(scope, request, (signal) =>
      receiveRaw(this.#parts, scope, { ...head, request, totalBytes, maxBytes, signal }),
    );
  }

  /** Gives bodies under way the time to end, then breaks them off with `shutting_down` (503); resolves when none is left. */
  async drain(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#breakOff(), graceMs);
    try {
      while (this.#receiving.size > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Watches over a body that is read elsewhere: counted among those under way, with the same limits, cut off
   * when it stalls, and at shutdown, by the signal that `receive` is given.
   */
  async whileReceiving<T>(
    { address }: Pick<RequestScope, 'address'>,
    request: IncomingMessage,
    receive: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const controller = new AbortController();
    const release = this.#watch(address, request, controller);
    this.#receiving.add(controller);
    try {
      return await receive(controller.signal);
    } finally {
      release();
      this.#receiving.delete(controller);
      if (this.#receiving.size === 0) this.#idle?.();
    }
  }

  /** Takes a place and ends the body if its sender is too slow. Returns the release. Throws as `OpenUploads.enter` does. */
  #watch(address: string, request: IncomingMessage, controller: AbortController): () => void {
    const { stallTimeoutMs, minBytesPerS } = this.#settings;
    const tooSlow = (detail: string) => () =>
      controller.abort(new ServiceError('upload_too_slow', `${detail} Send the file again.`));
    const pace = new SenderPace(
      request,
      minBytesPerS,
      tooSlow(`Less than ${minBytesPerS} bytes a second came for a minute.`),
    );
    const upload = {
      get bytesPerS() {
        return pace.bytesPerS;
      },
      end: (reason: ServiceError) => controller.abort(reason),
    };
    try {
      const leave = this.#open.enter(address, upload);
      const unwatch = watchForStall(request, stallTimeoutMs, tooSlow(`Nothing came for ${stallTimeoutMs} ms.`));
      return () => {
        unwatch();
        pace.release();
        leave();
      };
    } catch (error) {
      pace.release();
      throw error;
    }
  }

  #breakOff(): void {
    const reason = new ServiceError('shutting_down', 'The server is stopping. Send the file again in a moment.', {
      retryAfterMs: 1000,
    });
    for (const controller of this.#receiving) controller.abort(reason);
  }
}

/** Null where the body comes in chunks of unknown number. */
function announcedBytes(request: IncomingMessage): number | null {
  const length = request.headers['content-length'];
  return length === undefined ? null : Number(length);
}

/** To store a piece in the place of the whole is what RFC 9110 section 14.5 warns of. */
function requireWholeFile(request: IncomingMessage): void {
  if (request.headers['content-range'] === undefined) return;
  throw new ServiceError(
    'bad_request',
    'A PUT brings the whole file, so it has no Content-Range. What comes in pieces is taken at /files, by the tus protocol.',
  );
}
