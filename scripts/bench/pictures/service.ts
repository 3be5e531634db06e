import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Agent, request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Upload } from '../../../src/api.ts';
import { startProcess } from '../../../test/helpers/service.ts';
import { WORKER_ALLOCATOR } from '../../allocator.ts';
import type { Session } from '../lib/session.ts';
import type { Contestant } from './contestant.ts';
import type { Batch } from './questions.ts';

/** So many times as many uploads as pictures at work, so that the queue is never empty. */
const AHEAD = 3;

/**
 * Settings as they are by default, one worker process for each core; a picture counts from its first byte to the held answer with its result.
 * @param nodeOptions of all its processes.
 */
export async function wholeService({ redisUrl, directory }: Session, workers: number, nodeOptions: readonly string[]): Promise<Contestant> {
  const env = { HOST: '127.0.0.1', PORT: '0', REDIS_URL: redisUrl, STORAGE: `file:${join(directory, 'files')}` };
  const api = await startProcess(entry('src/main.ts'), env, nodeOptions);
  const others = await Promise.all(Array.from({ length: workers }, () => startProcess(entry('workers/main.ts'), { ...env, ...WORKER_ALLOCATOR }, nodeOptions)));
  const agent = new Agent({ keepAlive: true });
  return {
    title: 'deferred-uploads',
    convert: (batch) => sendAll(api.url, agent, batch),
    async end() {
      agent.destroy();
      await Promise.all([api, ...others].map((process) => process.end()));
    },
  };
}

function entry(path: string): string {
  return fileURLToPath(new URL(`../../../${path}`, import.meta.url));
}

async function sendAll(url: string, agent: Agent, { photos, count, inFlight }: Batch): Promise<void> {
  const files = await Promise.all(photos.map(async (photo) => await readFile(photo)));
  let next = 0;
  const work = async () => {
    for (let index = next++; index < count; index = next++) await send(url, agent, files[index % files.length] ?? Buffer.alloc(0));
  };
  await Promise.all(Array.from({ length: AHEAD * inFlight }, work));
}

async function send(url: string, agent: Agent, bytes: Buffer): Promise<void> {
  const put = request(`${url}/uploads/${randomUUID()}?timeout=50000`, { method: 'PUT', agent, headers: { 'Content-Length': bytes.length } });
  put.end(bytes);
  const [answer] = (await once(put, 'response')) as [IncomingMessage];
  const upload = JSON.parse(await text(answer)) as Upload;
  if (upload.result?.kind !== 'picture' || upload.result.variants.length !== 3) throw new Error(`an upload ended as ${JSON.stringify(upload)}`);
}
