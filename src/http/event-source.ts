import type { ServerResponse } from 'node:http';

/** Proxies cut what is silent for a minute, some after half of it. */
const HEARTBEAT_MS = 15_000;

/** When a browser whose connection broke comes again: sooner than it would by itself, and not all of them together. */
const RECONNECT_MS = 500;
const RECONNECT_JITTER_MS = 1000;

/** A reader that has taken nothing for this many heartbeats is given up. */
const STUCK_HEARTBEATS = 4;

/** One event of a stream: its data is one line of JSON. */
export interface ServerEvent {
  id: string;
  event: string;
  data: string;
}

/**
 * Writes Server-Sent Events (HTML Living Standard section 9.2) to a response. A reader that is slower than
 * the events gets the newest one when it is ready, never a backlog; the last event is never dropped.
 */
export class EventSourceWriter {
  readonly #response: ServerResponse;
  readonly #onEnded: () => void;
  #pending: ServerEvent | undefined;
  #isLast = false;
  #stuckHeartbeats = 0;

  /** @param onEnded is called once, when the last event has been handed to the socket. */
  constructor(response: ServerResponse, onEnded: () => void) {
    this.#response = response;
    this.#onEnded = onEnded;
  }

  /** Sends the head. Headers that the response has already stay. */
  begin(): void {
    this.#response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      // nginx gathers answers otherwise.
      'X-Accel-Buffering': 'no',
    });
    this.#response.flushHeaders();
    this.#response.write(`retry: ${Math.round(RECONNECT_MS + RECONNECT_JITTER_MS * Math.random())}\n\n`);
    this.#response.on('drain', () => this.#flush());
  }

  /** Sends an event, or keeps it in place of an older one until the reader is ready. Nothing follows the last. */
  send(event: ServerEvent, isLast: boolean): void {
    if (this.#isLast) return;
    this.#pending = event;
    this.#isLast = isLast;
    this.#flush();
  }

  /** Keeps the connection open through proxies; to be called now and then. */
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

/** One timer for all streams of a process, none while there are none. */
export class Heartbeats {
  readonly #writers = new Set<EventSourceWriter>();
  #timer: NodeJS.Timeout | undefined;

  /** Returns the release. */
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
