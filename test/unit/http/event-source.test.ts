import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { EventSourceWriter, Heartbeats, type ServerEvent } from '../../../src/http/event-source.ts';

/** A response whose reader reads only when the test says so. */
class SlowResponse extends EventEmitter {
  readonly written: string[] = [];
  head: unknown;
  writableNeedDrain = false;
  isDestroyed = false;
  /** True if every further write fills the buffer of the reader. */
  isSlow = false;

  writeHead(status: number, headers: object): void {
    this.head = { status, ...headers };
  }

  flushHeaders(): void {
    this.written.push('head');
  }

  write(text: string): boolean {
    if (this.writableNeedDrain) throw new Error('written although the reader is not ready');
    this.written.push(text);
    this.writableNeedDrain = this.isSlow;
    return !this.isSlow;
  }

  drain(): void {
    this.writableNeedDrain = false;
    this.emit('drain');
  }

  destroy(): void {
    this.isDestroyed = true;
  }
}

function build() {
  const response = new SlowResponse();
  const onEnded = jest.fn();
  const writer = new EventSourceWriter(response as unknown as ServerResponse, onEnded);
  return { response, onEnded, writer };
}

const event = (version: number): ServerEvent => ({
  id: String(version),
  event: 'progress',
  data: `{"version":${version}}`,
});
const text = (version: number) => `id: ${version}\nevent: progress\ndata: {"version":${version}}\n\n`;

describe('an event stream', () => {
  test('begins at once with headers against buffering and caching', () => {
    const { response, writer } = build();
    writer.begin();
    expect(response.head).toEqual({
      status: 200,
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
    });
    expect(response.written).toEqual(['head', expect.stringMatching(/^retry: \d+\n\n$/)]);
  });

  test('lets browsers reconnect within 1.5 seconds, at different times', () => {
    const waits = Array.from({ length: 20 }, () => {
      const { response, writer } = build();
      writer.begin();
      return Number(/\d+/.exec(response.written.join())?.[0]);
    });
    expect(new Set(waits).size).toBeGreaterThan(1);
    expect(waits.every((waitMs) => waitMs >= 500 && waitMs <= 1500)).toBe(true);
  });

  test('sends every event to a fast reader, and ends with the last', () => {
    const { response, writer, onEnded } = build();
    writer.begin();
    writer.send(event(1), false);
    writer.send(event(2), false);
    expect(onEnded).not.toHaveBeenCalled();
    writer.send(event(3), true);
    expect(response.written.slice(2)).toEqual([text(1), text(2), text(3)]);
    expect(onEnded).toHaveBeenCalledTimes(1);
  });

  test('sends a slow reader only the newest event when it is ready', () => {
    const { response, writer } = build();
    writer.begin();
    response.isSlow = true;
    for (let version = 1; version <= 1000; version++) writer.send(event(version), false);
    response.drain();
    response.drain();
    expect(response.written.slice(2)).toEqual([text(1), text(1000)]);
  });

  test('never drops the last event, and ends when that event is written', () => {
    const { response, writer, onEnded } = build();
    writer.begin();
    response.isSlow = true;
    writer.send(event(1), false);
    writer.send(event(2), true);
    writer.send(event(3), false);
    writer.send(event(4), true);
    expect(onEnded).not.toHaveBeenCalled();
    response.drain();
    expect([response.written.at(-1), onEnded.mock.calls.length]).toEqual([text(2), 1]);
    response.drain();
    expect(onEnded).toHaveBeenCalledTimes(1);
  });
});

describe('a heartbeat', () => {
  test('is a comment', () => {
    const { response, writer } = build();
    writer.begin();
    writer.heartbeat();
    expect(response.written.at(-1)).toBe(': \n\n');
  });

  test('closes the stream of a reader that never drains, and writes nothing to it', () => {
    const { response, writer } = build();
    writer.begin();
    response.isSlow = true;
    writer.send(event(1), false);
    for (let beat = 0; beat < 3; beat++) writer.heartbeat();
    expect(response.isDestroyed).toBe(false);
    writer.heartbeat();
    expect([response.isDestroyed, response.written.length]).toEqual([true, 3]);
  });

  test('keeps the stream of a reader that drains in time, also repeatedly', () => {
    const { response, writer } = build();
    writer.begin();
    for (let round = 0; round < 5; round++) {
      response.isSlow = true;
      writer.send(event(round), false);
      for (let beat = 0; beat < 3; beat++) writer.heartbeat();
      response.isSlow = false;
      response.drain();
      writer.heartbeat();
    }
    expect(response.isDestroyed).toBe(false);
  });
});

describe('the heartbeats of a process', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('go to every stream from one timer, which exists only while there are streams', () => {
    const heartbeats = new Heartbeats();
    expect(jest.getTimerCount()).toBe(0);
    const streams = [build(), build(), build()];
    const releases = streams.map(({ writer }) => heartbeats.add(writer));
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(30_000);
    expect(streams.map(({ response }) => response.written.length)).toEqual([2, 2, 2]);
    releases[0]?.();
    releases[0]?.();
    jest.advanceTimersByTime(15_000);
    expect(streams.map(({ response }) => response.written.length)).toEqual([2, 3, 3]);
    for (const release of releases) release();
    expect(jest.getTimerCount()).toBe(0);
    heartbeats.add(streams[0]?.writer ?? build().writer)();
    expect(jest.getTimerCount()).toBe(0);
  });

  test('are more frequent than the silence limits of proxies', () => {
    const heartbeats = new Heartbeats();
    const { writer, response } = build();
    const release = heartbeats.add(writer);
    jest.advanceTimersByTime(29_999);
    expect(response.written.length).toBeGreaterThan(0);
    release();
  });
});
