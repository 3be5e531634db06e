import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Child } from '../lib/child.ts';
import type { Session } from '../lib/session.ts';
import type { UploadPeer } from './peers.ts';
import type { SenderQuestions, UploadServerQuestions } from './questions.ts';

/** What is sent in a round. */
export interface Load {
  /** Of each file. */
  bytes: number;
  files: number;
  connections: number;
  /** Sent before the clock starts, so that code is compiled and connections to Redis are warm. */
  warmUp: { bytes: number; files: number };
  /**
   * Leaves the files until the run is over. Where many files were deleted ext4 looks for minutes at what each of
   * them was before it makes a new one, which would cost more than everything else.
   */
  keepsFiles: boolean;
}

/** What a round has measured. */
export interface UploadFigures {
  seconds: number;
  /** Processor time of the server and of the sender, in seconds. */
  serverSeconds: number;
  senderSeconds: number;
  /** In bytes; see `Usage`. */
  rssGrowth: number;
}

const US_PER_SECOND = 1e6;

/** So small a file that the memory it takes is that of being a server at all. */
const FIRST_BYTES = 100_000;

/**
 * Measures a peer with a server of its own for this round: memory once taken from the machine is not all given back.
 */
export async function runUploadRound(
  session: Session,
  sender: Child<SenderQuestions>,
  peer: UploadPeer,
  load: Load,
  nodeOptions: readonly string[],
): Promise<UploadFigures> {
  const directory = await mkdtemp(join(session.directory, 'files-'));
  const server = session.start<UploadServerQuestions>(`../upload/children/${peer.server}`, [
    '--expose-gc',
    ...nodeOptions,
  ]);
  const { settings = {}, isDurable = true, form, path } = peer;
  const port = await server.ask('start', { redisUrl: session.redisUrl, directory, settings, isDurable });
  const transfer = { port, form, path, connections: load.connections };
  await sender.ask('send', { ...transfer, bytes: FIRST_BYTES, files: load.connections });
  await server.ask('watchMemory');
  await sender.ask('send', { ...transfer, ...load.warmUp });
  await server.ask('begin');
  const sent = await sender.ask('send', { ...transfer, bytes: load.bytes, files: load.files });
  const used = await server.ask('end');
  await server.end();
  // Large ones go before the next round, which would else write these bytes to disk beside its own.
  if (!load.keepsFiles) await rm(directory, { recursive: true });
  return {
    seconds: sent.seconds,
    serverSeconds: used.cpuUs / US_PER_SECOND,
    senderSeconds: sent.cpuUs / US_PER_SECOND,
    rssGrowth: used.rssGrowth,
  };
}
