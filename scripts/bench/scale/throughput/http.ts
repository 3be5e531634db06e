import type { Child } from '../../lib/child.ts';
import type { ServerQuestions } from '../../lib/server-questions.ts';
import type { Session } from '../../lib/session.ts';
import type { SenderQuestions } from '../../upload/questions.ts';
import type { RedisMeter } from '../lib/redis-meter.ts';
import { workersCpuUs, type Team } from './contestants.ts';

/** Bytes of a file. The files are small, because the service is measured and not the disk. */
const FILE_BYTES = 1000;
/** Path of a PUT that is answered when the result is ready. */
export const HELD_PUT = '/uploads/{id}?timeout=50000';
const MAX_HELD = 20_000;

/** Uploads as clients see them; processor times in microseconds for each. */
export interface HttpFigures {
  perSecond: number;
  apiUs: number;
  workerUs: number;
  redisUs: number;
  senderUs: number;
}

/** An API process and a process of clients, in front of the workers of a team. */
export interface HttpFront {
  readonly api: Child<ServerQuestions>;
  readonly sender: Child<SenderQuestions>;
  readonly port: number;
}

/** Starts the API process and the sender. The session ends them. */
export async function startFront(
  session: Session,
  nodeOptions: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<HttpFront> {
  const { redisUrl, directory } = session;
  const api = session.start<ServerQuestions>('api', nodeOptions);
  const sender = session.start<SenderQuestions>('../upload/children/sender');
  const port = await api.ask('start', {
    redisUrl,
    directory,
    maxHeld: MAX_HELD,
    settings: { UPLOAD_MAX_OPEN_PER_ADDRESS: '0', ...settings },
  });
  return { api, sender, port };
}

/** Runs a round. Each client sends a file, waits for the held answer with its result, and sends the next file. */
export async function runHttpRound(
  front: HttpFront,
  team: Pick<Team, 'workers'>,
  meter: RedisMeter,
  load: { uploads: number; connections: number },
): Promise<HttpFigures> {
  const { api, sender, port } = front;
  const { uploads, connections } = load;
  const [apiUs, workersUs] = [await api.ask('cpuUs'), await workersCpuUs(team)];
  await meter.begin();
  const sent = await sender.ask('send', {
    port,
    form: 'put',
    path: HELD_PUT,
    bytes: FILE_BYTES,
    files: uploads,
    connections,
  });
  return {
    perSecond: uploads / sent.seconds,
    apiUs: ((await api.ask('cpuUs')) - apiUs) / uploads,
    workerUs: ((await workersCpuUs(team)) - workersUs) / uploads,
    redisUs: (await meter.cpuUs()) / uploads,
    senderUs: sent.cpuUs / uploads,
  };
}
