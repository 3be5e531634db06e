import { describe, expect, test } from '@jest/globals';
import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { StreamChunks } from '../../../src/intake/stream-chunks.ts';

const toError = (error: unknown) => new Error('another message', { cause: error });
const KIB = 1024;

async function textOf(chunks: StreamChunks): Promise<string[]> {
  const texts: string[] = [];
  for await (const chunk of chunks) texts.push(chunk.toString());
  return texts;
}

/** Returns the number of each listener that a reader of chunks may have. */
const listeners = (stream: PassThrough) => ['data', 'end', 'close'].map((name) => stream.listenerCount(name));

describe('the chunks of a stream', () => {
  test('come one by one, as they were written, and then end', async () => {
    const stream = new PassThrough();
    const chunks = new StreamChunks(stream, toError);
    const before = listeners(stream);
    const read = textOf(chunks);
    for (const text of ['one', 'two', 'three']) stream.write(text);
    stream.end();
    expect(await read).toEqual(['one', 'two', 'three']);
    expect(listeners(stream)).toEqual(before);
    expect(await chunks.next()).toEqual({ done: true, value: undefined });
  });

  test('that came before the first read are returned too, and then the end', async () => {
    const stream = new PassThrough();
    stream.end('all');
    expect(await textOf(new StreamChunks(stream, toError))).toEqual(['all']);
  });

  test.each(['ended', 'broken', 'closed'])('of a stream that is already %s are empty', async (how) => {
    const stream = new PassThrough().on('error', () => undefined);
    if (how === 'ended') stream.resume().end();
    else stream.destroy(how === 'broken' ? new Error('before') : undefined);
    await turn();
    await turn();
    const read = textOf(new StreamChunks(stream, toError));
    if (how === 'ended') expect(await read).toEqual([]);
    else await expect(read).rejects.toThrow('another message');
  });

  test('wait in the stream while the reader is busy, except for 256 KiB', async () => {
    const stream = new PassThrough({ highWaterMark: 64 * KIB });
    const chunks = new StreamChunks(stream, toError);
    const first = chunks.next();
    let written = 0;
    for (let isWanted = true; isWanted; await turn()) {
      isWanted = stream.write(Buffer.alloc(32 * KIB));
      written += 32 * KIB;
    }
    expect(stream.isPaused()).toBe(true);
    expect(written).toBeLessThan(768 * KIB);
    stream.end();
    let read = (await first).value?.length ?? 0;
    for await (const chunk of chunks) read += chunk.length;
    expect(read).toBe(written);
  });

  test('wait in the stream if there are many of them, even short ones', async () => {
    const stream = new PassThrough({ highWaterMark: 100 });
    const chunks = new StreamChunks(stream, toError);
    const first = chunks.next();
    let written = 0;
    for (let isWanted = true; isWanted; await turn()) {
      isWanted = stream.write('x');
      written += 1;
    }
    expect(written).toBeLessThan(400);
    stream.end();
    let read = (await first).value?.length ?? 0;
    for await (const chunk of chunks) read += chunk.length;
    expect(read).toBe(written);
  });

  test('end with the error of a broken stream, once', async () => {
    const stream = new PassThrough();
    const chunks = new StreamChunks(stream, toError);
    const waiting = chunks.next();
    stream.destroy(new Error('the disk'));
    await expect(waiting).rejects.toMatchObject({ message: 'another message', cause: { message: 'the disk' } });
    await expect(chunks.next()).rejects.toThrow('another message');
  });

  test('end with the reason of a signal that fires during the read or has fired before', async () => {
    const stream = new PassThrough();
    const controller = new AbortController();
    const chunks = new StreamChunks(stream, toError, controller.signal);
    const waiting = chunks.next();
    controller.abort(new Error('stalled'));
    await expect(waiting).rejects.toThrow('stalled');
    await expect(new StreamChunks(stream, toError, controller.signal).next()).rejects.toThrow('stalled');
    expect([stream.destroyed, listeners(stream)]).toEqual([false, listeners(new PassThrough())]);
  });

  test('leave the stream open, paused and without listeners if the reader stops early', async () => {
    const stream = new PassThrough();
    stream.write('one');
    const chunks = new StreamChunks(stream, toError);
    for await (const chunk of chunks) {
      expect(chunk.toString()).toBe('one');
      break;
    }
    expect([stream.destroyed, stream.isPaused(), listeners(stream)]).toEqual([
      false,
      true,
      listeners(new PassThrough()),
    ]);
    stream.resume().end('the rest');
    await turn();
    await turn();
    expect(stream.readableEnded).toBe(true);
  });

  test('end a pending read if the reader stops', async () => {
    const chunks = new StreamChunks(new PassThrough(), toError);
    const waiting = chunks.next();
    await chunks.return();
    expect(await waiting).toEqual({ done: true, value: undefined });
  });
});
