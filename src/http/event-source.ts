import type { ServerResponse } from 'node:http';

/** Period of the heartbeats. Proxies cut silent connections after 30 to 60 s. */
const HEARTBEAT_MS = 15_000;

/** A browser reconnects after this delay. The jitter keeps browsers from reconnecting together. */
const RECONNECT_MS = 500;
const RECONNECT_JITTER_MS = 1000;

/** A client that reads nothing for this many heartbeats is cut. */
const STUCK_HEARTBEATS = 4;

/** The headers of every stream. */
export const EVENT_STREAM_HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store',
  // Otherwise nginx buffers the answer.
  'X-Accel-Buffering': 'no',
};

/** One event of a stream. Its data is one line of JSON. */
export interface ServerEvent {
  id: string;
  event: string;
  data: string;
}

/**
 * Writes Server-Sent Events (HTML Living Standard section 9.2) to a response. A slow client gets only the newest event
 * when it is ready for one. The last event is never dropped.
 */
export class EventSourceWriter {
  readonly #response: ServerResponse;
  readonly #onEnded: () => void;
  #pending: ServerEvent | undefined;
  #isLast = false;
  #stuckHeartbeats = 0;

  /** @param onEnded called once, after the last event was written to the socket. */
  constructor(response: ServerResponse, onEnded: () => void) {
    this.#response = response;
    this.#onEnded = onEnded;
  }

  /** Sends the head, with the headers that are already set on the response. */
  begin(): void {
    this.#response.writeHead(200, EVENT_STREAM_HEADERS);
    this.#response.flushHeaders();
    this.#response.write(`retry: ${Math.round(RECONNECT_MS + RECONNECT_JITTER_MS * Math.random())}\n\n`);
    this.#response.on('drain', () => this.#flush());
  }

  /**
   * Sends an event. If the client is not ready, the event replaces an older waiting one. Ignored after the last event.
   */
  send(event: ServerEvent, isLast: boolean): void {
    if (this.#isLast) return;
    this.#pending = event;
    this.#isLast = isLast;
    this.#flush();
  }

  /** Keeps the connection open through proxies. Call it every `HEARTBEAT_MS`. */
  heartbeat(): void {
    if (!this.#response.writableNeedDrain) {
      this.#stuckHeartbeats = 0;
      this.#response.write(': \n\n');
      return;
    }
    this.#stuckHeartbeats += 1;
    if (this.#stuckHeartbeats >= STUCK_HEARTBEATS) this.#response.destroy();
  }

  #flush(): void {
    if (this.#pending === undefined || this.#response.writableNeedDrain) return;
    const { id, event, data } = this.#pending;
    this.#pending = undefined;
    this.#response.write(`id: ${id}\nevent: ${event}\ndata: ${data}\n\n`);
    if (this.#isLast) this.#onEnded();
  }
}

/** Runs one timer for all streams of a process, and none if there is no stream. */
export class Heartbeats {
  readonly #writers = new Set<EventSourceWriter>();
  #timer: NodeJS.Timeout | undefined;

  /** Adds a stream and returns its release. */
  add(writer: EventSourceWriter): () => void {
    this.#writers.add(writer);
    this.#timer ??= setInterval(() => {
      for (const each of this.#writers) each.heartbeat();
    }, HEARTBEAT_MS).unref();
    return () => {
      this.#writers.delete(writer);
      if (this.#writers.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }
}
