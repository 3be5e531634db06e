import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Upload } from '../../../src/wire/documents.ts';
import { peakBytes, residentBytes } from '../../../test/helpers/process-memory.ts';
import type { ServiceProcess } from '../../../test/helpers/service.ts';
import { startServiceProcesses } from '../lib/service-processes.ts';
import type { Session } from '../lib/session.ts';
import { uploadRef } from '../../../src/telemetry/upload-ref.ts';

/** The results of one table. */
export interface TableFigures {
  /** Seconds from the first byte of the file to the held answer with its result. */
  readonly seconds: number;
  /** How many of these seconds the steps of the processor took. */
  readonly processingSeconds: number;
}

/** One API process and one worker process with default settings, except for the size of files. */
export interface WholeService {
  digest(path: string, rows: number): Promise<TableFigures>;
  /** Returns a function for the peak memory of the worker beyond its current memory. */
  watchWorker(): () => number;
  end(): Promise<void>;
}

const READ_BYTES = 1024 * 1024;
const MS_PER_SECOND = 1000;

/** The limit for files and their output. A run of a few minutes stays below it. */
const MOST_BYTES = String(2 ** 36);
const ANY_SIZE = {
  UPLOAD_MAX_BYTES: MOST_BYTES,
  UPLOAD_MAX_REQUEST_BYTES: MOST_BYTES,
  TABLE_MAX_OUTPUT_BYTES: MOST_BYTES,
};

/** The worker's log contains the time of each step. @param nodeOptions Node options of the worker */
export async function startWholeService(session: Session, nodeOptions: readonly string[]): Promise<WholeService> {
  const { api, workers, end } = await startServiceProcesses(session, {
    workers: 1,
    env: ANY_SIZE,
    workerEnv: { LOG_LEVEL: 'debug' },
    workerOptions: nodeOptions,
  });
  const [worker] = workers;
  if (worker === undefined) throw new Error('no worker was started');
  return {
    async digest(path, rows) {
      const id = randomUUID();
      const startedMs = performance.now();
      const upload = await send(`${api.url}/uploads/${id}?timeout=50000`, path);
      const seconds = (performance.now() - startedMs) / MS_PER_SECOND;
      if (upload.result?.kind !== 'table' || upload.result.rowCount !== rows)
        throw new Error(`an upload ended as ${JSON.stringify(upload)}`);
      const processingSeconds = stepMs(worker, id) / MS_PER_SECOND;
      await fetch(`${api.url}/uploads/${id}`, { method: 'DELETE' });
      return { seconds, processingSeconds };
    },
    watchWorker() {
      const { pid } = worker.child;
      const before = residentBytes(pid);
      return () => peakBytes(pid) - before;
    },
    end,
  };
}

async function send(url: string, path: string): Promise<Upload> {
  const { size } = await stat(path);
  const put = request(url, { method: 'PUT', headers: { 'Content-Length': size } });
  createReadStream(path, { highWaterMark: READ_BYTES }).pipe(put);
  const [answer] = (await once(put, 'response')) as [IncomingMessage];
  return JSON.parse(await text(answer)) as Upload;
}

function stepMs(worker: ServiceProcess, id: string): number {
  const steps = worker.lines().filter(({ msg, upload }) => msg === 'step ended' && upload === uploadRef(id));
  if (steps.length === 0) throw new Error('the worker has not said how long its steps took');
  return steps.reduce((sum, { durationMs }) => sum + Number(durationMs), 0);
}
