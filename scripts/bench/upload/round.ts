import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { API_THREADS } from '../../api-threads.ts';
import type { Child } from '../lib/child.ts';
import type { Session } from '../lib/session.ts';
import type { UploadPeer } from './peers.ts';
import type { BucketQuestions, SenderQuestions, UploadServerQuestions } from './questions.ts';

/** The load of a round. */
export interface Load {
  /** Bytes of each file. */
  bytes: number;
  files: number;
  connections: number;
  /** Files sent before the measurement, so that code is compiled and connections to Redis are open. */
  warmUp: { bytes: number; files: number };
  /**
   * If true, files are kept until the end of the run. After many deletions ext4 creates files slowly for minutes, which
   * would cost more than everything else.
   */
  keepsFiles: boolean;
}

/** The results of a round. */
export interface UploadFigures {
  seconds: number;
  /** Processor time of the server and of the sender, in seconds. */
  serverSeconds: number;
  senderSeconds: number;
  /** Growth of the server's memory in bytes (see `Usage`). */
  rssGrowth: number;
  /** Only for tus in parts, see `Sent` and `Usage`. */
  finishMs: number;
  endMs: number;
}

const US_PER_SECOND = 1e6;

/** Bytes of the first file. It is so small that the memory is that of the server itself. */
const FIRST_BYTES = 100_000;

/**
 * Measures a peer with a new server, because a process does not return all its memory to the system.
 */
export async function runUploadRound(
  session: Session,
  sender: Child<SenderQuestions>,
  peer: UploadPeer,
  load: Load,
  nodeOptions: readonly string[],
): Promise<UploadFigures> {
  const directory = await mkdtemp(join(session.directory, 'files-'));
  const server = session.start<UploadServerQuestions>(
    `../upload/children/${peer.server}`,
    ['--expose-gc', ...nodeOptions],
    // `npm run api` sets this too. The peers run with the default of Node.
    peer.server === 'service' ? API_THREADS : {},
  );
  const { isDurable = true, form, path } = peer;
  const bucket = peer.hasBucket === true ? session.start<BucketQuestions>('../upload/children/bucket') : undefined;
  const settings = { ...peer.settings, ...(bucket && (await bucketSettings(bucket))) };
  const port = await server.ask('start', { redisUrl: session.redisUrl, directory, settings, isDurable });
  const transfer = { port, form, path, connections: load.connections };
  await sender.ask('send', { ...transfer, bytes: FIRST_BYTES, files: load.connections });
  await server.ask('watchMemory');
  await sender.ask('send', { ...transfer, ...load.warmUp });
  await server.ask('begin');
  const sent = await sender.ask('send', { ...transfer, bytes: load.bytes, files: load.files });
  const used = await server.ask('end');
  await server.end();
  await bucket?.end();
  // Large files are removed before the next round, whose writes they would delay.
  if (!load.keepsFiles) await rm(directory, { recursive: true });
  return {
    seconds: sent.seconds,
    serverSeconds: used.cpuUs / US_PER_SECOND,
    senderSeconds: sent.cpuUs / US_PER_SECOND,
    rssGrowth: used.rssGrowth,
    finishMs: sent.finishMs,
    endMs: used.endMs,
  };
}

/**
 * Starts a bucket and returns its settings. A bucket in memory has space for one round, so each round has a new one.
 */
async function bucketSettings(child: Child<BucketQuestions>): Promise<Record<string, string>> {
  const { url, bucket } = await child.ask('start');
  return { STORAGE: `s3://${bucket}`, S3_ENDPOINT: url };
}
