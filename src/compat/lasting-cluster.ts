import type { Cluster } from 'ioredis';

/**
 * Has `connect` of a cluster's connection, and of all copies of it, resolve as soon as it is ready, however many tries that takes, and reject
 * when it has ended. Where nodes answer and the cluster cannot serve yet, as while one of them is away, ioredis tries again by itself and
 * leaves the promise of the first try open for ever: a worker of BullMQ's that waits for it would never take a job again.
 */
export function makeLasting(cluster: Cluster): Cluster {
  const connect = cluster.connect.bind(cluster);
  const duplicate = cluster.duplicate.bind(cluster);
  return Object.assign(cluster, {
    connect: () => untilReady(cluster, connect),
    duplicate: (...given: Parameters<Cluster['duplicate']>) => makeLasting(duplicate(...given)),
  });
}

async function untilReady(cluster: Cluster, connect: () => Promise<void>): Promise<void> {
  let onReady = (): void => undefined;
  let onEnd = onReady;
  const settled = new Promise<void>((resolve, reject) => {
    onReady = resolve;
    onEnd = () => reject(new Error('the connection was closed'));
  });
  cluster.once('ready', onReady).once('end', onEnd);
  try {
    await Promise.race([connect(), settled]);
  } finally {
    cluster.off('ready', onReady).off('end', onEnd);
  }
}
