import type { IncomingMessage } from 'node:http';
import type { Middleware } from 'koa';
import type { Logger } from '../telemetry/log.ts';
import { presentProcesses, type Presence } from '../telemetry/presence.ts';
import { FailedUploads, type FailedUploadParts } from '../record/failed-uploads.ts';
import type { RecordOptions } from '../record/record-change.ts';
import { openInspectedQueues } from '../queue/inspected-queues.ts';
import type { UploadQueue } from '../queue/upload-queue.ts';
import { UploadSets } from '../queue/upload-sets.ts';
import type { OperatorRouteParts } from '../routes/operator-routes.ts';
import { loadOperatorsAssets } from '../page/assets.ts';
import { isForOperators, operatorGuard } from './operator-guard.ts';
import { BOARD_PATH, openQueueBoard } from './queue-board.ts';
import { readFigures } from './service-figures.ts';

/** What the operators' side shares with the rest of the process. */
export interface OperatorsParts extends FailedUploadParts {
  queue: Pick<UploadQueue, 'add' | 'counts'>;
  presence: Pick<Presence, 'announce'>;
  /** Uploads that may wait for a worker. */
  queueCapacity: number;
  addressOf: (request: IncomingMessage) => string;
  log: Logger;
}

/** Everything for operators: who may come in, the board of the queues, and what lies beside it. */
export interface Operators extends OperatorRouteParts {
  guard: Middleware;
  board: Middleware;
  close(): Promise<void>;
}

/** Builds the operators' side of an API process. The board is loaded when somebody first asks for it. */
export async function openOperators(
  parts: OperatorsParts,
  token: string,
  recordOptions: RecordOptions,
): Promise<Operators> {
  const { connection, keys, queue, presence, queueCapacity, addressOf, log } = parts;
  const queues = openInspectedQueues(connection, keys, log);
  const failed = new FailedUploads(parts, recordOptions);
  const sets = new UploadSets(connection, keys);
  return {
    guard: operatorGuard({ token, addressOf, log }),
    board: onceAskedFor(() => openQueueBoard(queues)),
    readFigures: () =>
      readFigures({
        presence,
        processes: () => presentProcesses(connection, keys),
        queue,
        sets,
        failed,
        queueCapacity,
      }),
    retry: (id) => failed.retry(id),
    assets: await loadOperatorsAssets(),
    close: () => queues.close(),
  };
}

/** One that cannot be opened is tried again with the next request. */
function onceAskedFor(open: () => Promise<Middleware>): Middleware {
  let opened: Promise<Middleware> | undefined;
  return (ctx, next) => {
    const isBoard = isForOperators(ctx) && (ctx.path === BOARD_PATH || ctx.path.startsWith(`${BOARD_PATH}/`));
    if (!isBoard) return next();
    opened ??= open().catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened.then((board) => board(ctx, next));
  };
}
