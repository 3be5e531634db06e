import type { IncomingMessage } from 'node:http';
import { isReading } from './stall-timer.ts';

/** The bytes of a client are counted in this period. */
const SAMPLE_MS = 1000;

/** The rate is the average of this many samples. */
const WINDOW_SAMPLES = 60;

/** A later sample is ignored: the machine was busy, so it does not measure the client. */
const LATE_SAMPLE_MS = 2 * SAMPLE_MS;

/** A body gets one more window if its rest needs at most this time at the minimum rate. */
const NEARLY_DONE_S = 10;

/**
 * Measures the rate at which a client sends its body. Time in which a slow storage, Redis or machine stops the reading
 * does not count.
 */
export class SenderPace {
  readonly #request: IncomingMessage;
  readonly #timer: NodeJS.Timeout;
  readonly #startBytes: number;
  /** Ring buffer of the bytes of each second of reading. */
  readonly #samples = new Float64Array(WINDOW_SAMPLES);
  #sampleCount = 0;
  #windowBytes = 0;
  #seenBytes: number;
  #seenAtMs = performance.now();
  #wasReading: boolean;
  #dueSamples = WINDOW_SAMPLES;

  /**
   * Measures until `release`. Calls `onTooSlow` once if the average over 60 s of reading is below `minBytesPerS`. With
   * 0 it is never called.
   */
  constructor(request: IncomingMessage, minBytesPerS: number, onTooSlow: () => void) {
    this.#request = request;
    this.#startBytes = request.socket.bytesRead;
    this.#seenBytes = this.#startBytes;
    this.#wasReading = isReading(request);
    this.#timer = setInterval(() => {
      if (!this.#sample() || !this.#isTooSlow(minBytesPerS)) return;
      this.release();
      onTooSlow();
    }, SAMPLE_MS);
    this.#timer.unref();
  }

  /** Bytes per second over the last minute of reading. Undefined before the first sample. */
  get bytesPerS(): number | undefined {
    if (this.#sampleCount === 0) return undefined;
    return (this.#windowBytes * 1000) / (Math.min(this.#sampleCount, WINDOW_SAMPLES) * SAMPLE_MS);
  }

  /** Call it when the body has ended. */
  release(): void {
    clearInterval(this.#timer);
  }

  /** False if the last period does not count. */
  #sample(): boolean {
    const nowMs = performance.now();
    const bytes = this.#request.socket.bytesRead - this.#seenBytes;
    const isLate = nowMs - this.#seenAtMs > LATE_SAMPLE_MS;
    const wasReading = this.#wasReading;
    this.#seenBytes += bytes;
    this.#seenAtMs = nowMs;
    this.#wasReading = isReading(this.#request);
    if (isLate || !wasReading || !this.#wasReading) return false;
    const index = this.#sampleCount % WINDOW_SAMPLES;
    this.#windowBytes += bytes - (this.#samples[index] ?? 0);
    this.#samples[index] = bytes;
    this.#sampleCount += 1;
    return true;
  }

  #isTooSlow(minBytesPerS: number): boolean {
    if (this.#sampleCount < this.#dueSamples || (this.bytesPerS ?? minBytesPerS) >= minBytesPerS) return false;
    if (this.#dueSamples > WINDOW_SAMPLES || this.#leftBytes() > NEARLY_DONE_S * minBytesPerS) return true;
    this.#dueSamples = this.#sampleCount + WINDOW_SAMPLES;
    return false;
  }

  #leftBytes(): number {
    const length = this.#request.headers['content-length'];
    return length === undefined ? Number.POSITIVE_INFINITY : Number(length) - (this.#seenBytes - this.#startBytes);
  }
}
