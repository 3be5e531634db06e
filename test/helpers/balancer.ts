import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { listen } from './listen.ts';

/** A TCP load balancer for several API processes. It forwards bytes and does not parse HTTP. */
export interface Balancer {
  readonly url: string;
  /** Sends new connections to these targets in turn. Open connections stay. */
  retarget(urls: readonly string[]): void;
  stop(): Promise<void>;
}

/** Sends each new connection to the next target that accepts it. */
export async function startBalancer(urls: readonly string[]): Promise<Balancer> {
  let targets = urls;
  let turn = 0;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    sockets.add(near);
    near.on('error', () => undefined);
    near.on('close', () => sockets.delete(near));
    reach(near, targets.length);
  });

  function reach(near: Socket, tries: number): void {
    const target = new URL(targets[turn++ % targets.length] ?? '');
    const far = connect(Number(target.port), target.hostname);
    sockets.add(far);
    let isReached = false;
    far.once('connect', () => {
      isReached = true;
      far.pipe(near);
      near.pipe(far);
      near.on('close', () => far.destroy());
      if (near.destroyed) far.destroy();
    });
    far.on('error', () => undefined);
    far.on('close', () => {
      sockets.delete(far);
      if (isReached || tries === 1) near.destroy();
      else reach(near, tries - 1);
    });
  }

  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    retarget: (to) => void (targets = to),
    async stop() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
