import type { Cluster } from 'ioredis';

/**
 * Makes `connect` of a cluster connection and of its duplicates resolve when the connection is ready, after any number
 * of attempts, and reject when it has ended. If the nodes answer but the cluster is down, ioredis reconnects by itself
 * but never settles the promise of the first attempt. A BullMQ worker that awaits it would never take a job again.
 * There is no report of exactly this; https://github.com/redis/ioredis/pull/741 says to rely on the events instead.
 */
export function awaitReady(cluster: Cluster): Cluster {
  const connect = cluster.connect.bind(cluster);
  const duplicate = cluster.duplicate.bind(cluster);
  return Object.assign(cluster, {
    connect: () => untilReady(cluster, connect),
    duplicate: (...given: Parameters<Cluster['duplicate']>) => awaitReady(duplicate(...given)),
  });
}

async function untilReady(cluster: Cluster, connect: () => Promise<void>): Promise<void> {
  let onReady = (): void => undefined;
  let onEnd = onReady;
  const settled = new Promise<void>((resolve, reject) => {
    onReady = resolve;
    onEnd = () => reject(new Error('The connection was closed before it was ready.'));
  });
  cluster.once('ready', onReady).once('end', onEnd);
  try {
    await Promise.race([connect(), settled]);
  } finally {
    cluster.off('ready', onReady).off('end', onEnd);
  }
}
