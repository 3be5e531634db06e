import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../errors.ts';
import type { RequestScope } from '../http/request-scope.ts';
import { requestTooLarge, requireIdentityEncoding } from './body.ts';
import type { IntakeParts } from './incoming-upload.ts';
import { receiveMultipart, type IntakeLimits } from './multipart-intake.ts';
import { refuseContentRange } from './parts-hint.ts';
import { receiveRaw } from './raw-intake.ts';
import type { SentDigest } from './body-digests.ts';
import type { ReceivedUpload } from './read-received.ts';
import { OpenUploads, type OpenUploadLimits } from './open-uploads.ts';
import { SenderPace } from './sender-pace.ts';
import type { ReceiveHooks } from './small-upload.ts';
import { watchForStall } from './stall-timer.ts';
import { byteLimit, optionsFor, requireAllowedHint, ticketForbids } from './ticket-rules.ts';
import { SMALL_BYTES } from './whole-file.ts';

/** The limits of the intake. */
export interface IntakeSettings extends IntakeLimits, OpenUploadLimits {
  stallTimeoutMs: number;
  /** The minimum average over a minute. 0 means no minimum. */
  minBytesPerS: number;
}

/** The facts in the headers and the query of a raw upload. */
interface RawHead extends ReceiveHooks {
  id: string;
  fileName: string;
  /** The options of the client. Undefined if it sent none. */
  options: unknown;
  /** Digests that the client has computed of the body. Default none. */
  digests?: readonly SentDigest[];
}

/**
 * Turns request bodies into uploads. Rejects requests by their headers if possible, ends stalled bodies, and ends
 * running bodies at shutdown.
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

  /** The number of requests whose bodies are being received. */
  get receiving(): number {
    return this.#receiving.size;
  }

  /**
   * Receives all files of a form, see `receiveMultipart`. Before it reads the body it throws `request_too_large` (413)
   * and `ticket_forbids` (403), if the headers show it. It throws `queue_full` (503) or `too_many_queued_by_address`
   * (429) if there is no place for one file, and `quota_exceeded` (429).
   */
  async receiveForm(
    scope: RequestScope,
    request: IncomingMessage,
    { beforeQueued }: ReceiveHooks = {},
  ): Promise<ReceivedUpload[]> {
    const { maxRequestBytes } = this.#settings;
    refuseContentRange(request.headers['content-range'], 'POST');
    if ((announcedBytes(request) ?? 0) > maxRequestBytes) throw requestTooLarge(maxRequestBytes);
    requireAllowedForm(scope, request, this.#settings);
    return await this.whileReceiving(scope, request, async (signal) => {
      const { admission } = this.#parts;
      await admission.requireRate(scope);
      const mayBeSmall = this.#mayBeSmall(request, SMALL_BYTES + 2 * MAX_PART_HEAD_BYTES);
      if (!mayBeSmall) await admission.requireCapacity(scope.address, scope.caller);
      const form = { request, limits: this.#settings, signal, mayBeSmall, beforeQueued };
      return await receiveMultipart(this.#parts, scope, form);
    });
  }

  /**
   * Receives a raw body as one file, see `receiveRaw`. Throws `file_too_large` (413) and `ticket_forbids` (403) before
   * reading if the headers show it.
   */
  async receiveRaw(scope: RequestScope, request: IncomingMessage, head: RawHead): Promise<ReceivedUpload> {
    const totalBytes = announcedBytes(request);
    const { caller } = scope;
    const maxBytes = this.#settings.maxFileBytes;
    const limit = byteLimit(maxBytes, caller.ticket);
    if ((totalBytes ?? 0) > limit.maxBytes) throw limit.tooLarge();
    requireAllowedHint(request.headers['content-type'], caller.ticket);
    const options = optionsFor(caller, head.options);
    requireIdentityEncoding(request);
    refuseContentRange(request.headers['content-range'], 'PUT');
    return await this.whileReceiving(scope, request, async (signal) => {
      await this.#parts.admission.requireRate(scope);
      const mayBeSmall = caller.refusal === undefined && this.#mayBeSmall(request, SMALL_BYTES);
      const file = { ...head, options, request, totalBytes, maxBytes, signal, mayBeSmall };
      return await receiveRaw(this.#parts, scope, file);
    });
  }

  /**
   * True if a small body may be read before the limits are checked. False if they were reached lately, if Redis does
   * not answer, or if the client waits for the check (`Expect: 100-continue`).
   */
  #mayBeSmall(request: IncomingMessage, mostBytes: number): boolean {
    const bytes = announcedBytes(request);
    if (bytes === null || bytes > mostBytes || request.headers.expect !== undefined) return false;
    return !this.#parts.admission.isUnderPressure;
  }

  /**
   * Waits at most `graceMs` for running bodies, then ends them with `shutting_down` (503). Resolves when none is left.
   */
  async drain(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#endAll(), graceMs);
    try {
      while (this.#receiving.size > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Applies the limits to a body that `receive` reads. Its signal fires if the body stalls or is too slow, and at
   * shutdown. Throws as `OpenUploads.enter` does.
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

  /**
   * Takes a place and ends the body if its client is too slow. Returns the release. Throws as `OpenUploads.enter` does.
   */
  #watch(address: string, request: IncomingMessage, controller: AbortController): () => void {
    const { stallTimeoutMs, minBytesPerS } = this.#settings;
    const tooSlow = (detail: string) => () =>
      controller.abort(new ServiceError('upload_too_slow', `${detail} Send the file again.`));
    const pace = new SenderPace(
      request,
      minBytesPerS,
      tooSlow(`Less than ${minBytesPerS} bytes per second arrived for a minute.`),
    );
    const upload = {
      get bytesPerS() {
        return pace.bytesPerS;
      },
      end: (reason: ServiceError) => controller.abort(reason),
    };
    try {
      const leave = this.#open.enter(address, upload);
      const unwatch = watchForStall(request, stallTimeoutMs, tooSlow(`No bytes arrived for ${stallTimeoutMs} ms.`));
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

  #endAll(): void {
    const reason = new ServiceError(
      'shutting_down',
      'The server is shutting down. Send the file again after the time in Retry-After.',
      { retryAfterMs: 1000 },
    );
    for (const controller of this.#receiving) controller.abort(reason);
  }
}

/** Headers and boundary of one part have at most this many bytes. */
const MAX_PART_HEAD_BYTES = 16_384;

/** Throws `ticket_forbids` (403) if the body is longer than any form with the files of the ticket. */
function requireAllowedForm({ caller }: RequestScope, request: IncomingMessage, limits: IntakeLimits): void {
  const { maxFiles = limits.maxFiles, maxFileBytes } = caller.ticket ?? {};
  if (maxFileBytes === undefined) return;
  const files = Math.min(maxFiles, limits.maxFiles);
  const parts = files + limits.maxFields + 1;
  const mostBytes = files * maxFileBytes + limits.maxFields * limits.maxFieldBytes + parts * MAX_PART_HEAD_BYTES;
  if ((announcedBytes(request) ?? 0) > mostBytes)
    throw ticketForbids(
      `The request is larger than ${files} files of ${maxFileBytes} bytes, the maximum of the ticket.`,
    );
}

/** Null if the body has no `Content-Length`. */
function announcedBytes(request: IncomingMessage): number | null {
  const length = request.headers['content-length'];
  return length === undefined ? null : Number(length);
}
