import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { eachAtOnce } from '../lib/at-once.ts';
import type { StackLoad } from './loads.ts';

/** The file that is sent again and again, and the connections that send it. */
export type SentLoad = Pick<StackLoad, 'bytes' | 'type' | 'name' | 'connections'>;

/** Sends the files as forms and waits for each result. Returns the ms from first byte to result of each. */
export async function sendForms(url: string, agent: Agent, load: SentLoad, files: number): Promise<number[]> {
  const body = formOf(load);
  const tookMs: number[] = [];
  await eachAtOnce(files, load.connections, async () => {
    const startedMs = performance.now();
    await send(url, agent, body);
    tookMs.push(performance.now() - startedMs);
  });
  return tookMs;
}

interface Form {
  readonly bytes: Buffer;
  readonly type: string;
}

function formOf({ bytes, type, name }: SentLoad): Form {
  const boundary = `bench-${randomUUID()}`;
  const disposition = `Content-Disposition: form-data; name="file"; filename="${name}"`;
  const head = `--${boundary}\r\n${disposition}\r\nContent-Type: ${type}\r\n\r\n`;
  return {
    bytes: Buffer.concat([Buffer.from(head), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]),
    type: `multipart/form-data; boundary=${boundary}`,
  };
}

async function send(url: string, agent: Agent, { bytes, type }: Form): Promise<void> {
  const headers = { 'Content-Type': type, 'Content-Length': bytes.length };
  const post = request(`${url}/uploads?timeout=50000`, { method: 'POST', agent, headers });
  post.end(bytes);
  const [answer] = (await once(post, 'response')) as [IncomingMessage];
  const body = await text(answer);
  if (answer.statusCode !== 200 || !body.includes('"completed"'))
    throw new Error(`answered ${answer.statusCode}: ${body}`);
}
