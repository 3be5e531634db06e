import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Agent, request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Upload } from '../../../src/wire/documents.ts';
import { eachAtOnce } from '../lib/at-once.ts';
import { startServiceProcesses } from '../lib/service-processes.ts';
import type { Session } from '../lib/session.ts';
import type { Contestant } from './contestant.ts';
import type { Batch } from './questions.ts';

/** Ratio of uploads to pictures in progress, so that the queue is never empty. */
const AHEAD = 3;

/**
 * The whole service with default settings and one worker process per core. A picture counts from its first byte to the
 * held answer with its result.
 * @param nodeOptions Node options of all its processes
 */
export async function wholeService(
  session: Session,
  workers: number,
  nodeOptions: readonly string[],
): Promise<Contestant> {
  const { api, end } = await startServiceProcesses(session, {
    workers,
    apiOptions: nodeOptions,
    workerOptions: nodeOptions,
  });
  const agent = new Agent({ keepAlive: true });
  return {
    title: 'deferred-uploads',
    convert: (batch) => sendAll(api.url, agent, batch),
    async end() {
      agent.destroy();
      await end();
    },
  };
}

async function sendAll(url: string, agent: Agent, { photos, count, inFlight }: Batch): Promise<void> {
  const files = await Promise.all(photos.map(async (photo) => await readFile(photo)));
  await eachAtOnce(count, AHEAD * inFlight, (index) =>
    send(url, agent, files[index % files.length] ?? Buffer.alloc(0)),
  );
}

async function send(url: string, agent: Agent, bytes: Buffer): Promise<void> {
  const put = request(`${url}/uploads/${randomUUID()}?timeout=50000`, {
    method: 'PUT',
    agent,
    headers: { 'Content-Length': bytes.length },
  });
  put.end(bytes);
  const [answer] = (await once(put, 'response')) as [IncomingMessage];
  const upload = JSON.parse(await text(answer)) as Upload;
  if (upload.result?.kind !== 'picture' || upload.result.variants.length !== 3)
    throw new Error(`an upload ended as ${JSON.stringify(upload)}`);
}
