import type { IncomingMessage } from 'node:http';
import { isReading } from './stall-timer.ts';

/** How often a sender's bytes are counted. */
const SAMPLE_MS = 1000;

/** The rate is an average over so much time of reading. */
const WINDOW_SAMPLES = 60;

/** A sample that comes later than this shows that the machine was busy, and says nothing of the sender. */
const LATE_SAMPLE_MS = 2 * SAMPLE_MS;

/** A body with no more left than so many seconds of the least rate gets one more window. */
const NEARLY_DONE_S = 10;

/**
 * Measures how fast a request's body comes. Only time in which this process reads the body counts, so a storage, a
 * Redis or a machine that is slow is not charged to the sender.
 */
export class SenderPace {
  readonly #request: IncomingMessage;
  readonly #timer: NodeJS.Timeout;
  readonly #startBytes: number;
  /** Bytes of each second of reading; a ring. */
  readonly #samples = new Float64Array(WINDOW_SAMPLES);
  #sampleCount = 0;
  #windowBytes = 0;
  #seenBytes: number;
  #seenAtMs = performance.now();
  #wasReading: boolean;
  #dueSamples = WINDOW_SAMPLES;

  /**
   * Measures until `release`. Calls `onTooSlow` once if less than `minBytesPerS` came on average over 60 s of reading;
   * never if that is 0.
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

  /** Bytes a second over the last minute of reading. Undefined until there was a whole second of reading. */
  get bytesPerS(): number | undefined {
    if (this.#sampleCount === 0) return undefined;
    return (this.#windowBytes * 1000) / (Math.min(this.#sampleCount, WINDOW_SAMPLES) * SAMPLE_MS);
  }

  /** Ends the measuring. To be called when the body has ended. */
  release(): void {
    clearInterval(this.#timer);
  }

  /** False if the last period says nothing of the sender. */
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
