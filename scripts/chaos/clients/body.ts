import { setTimeout as delay } from 'node:timers/promises';

/** Returns a request body that is sent at once, or in several pieces with a pause between them. */
export function bodyOf(bytes: Buffer, pieces: number, pauseMs: number): BodyInit {
  if (pieces <= 1) return new Uint8Array(bytes);
  const size = Math.ceil(bytes.length / pieces);
  let at = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (at > 0) await delay(pauseMs);
      controller.enqueue(new Uint8Array(bytes.subarray(at, at + size)));
      at += size;
      if (at >= bytes.length) controller.close();
    },
  });
}
