import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A network between browser and service that a test can break. */
export interface TcpProxy {
  readonly url: string;
  /** Where new connections go from now on. */
  retarget(url: string): void;
  /** Breaks every connection, and each new one until `mend`. */
  cut(): void;
  /** Does so by itself, once so many bytes have gone towards the service from now on; `onCut` is called then. */
  cutAfter(byteCount: number, onCut: () => void): void;
  mend(): void;
  stop(): Promise<void>;
}

/** Passes everything on to the service at `url`. */
export async function startTcpProxy(url: string): Promise<TcpProxy> {
  let target = new URL(url);
  let isCut = false;
  let bytesToCut = Infinity;
  let afterCut = (): void => undefined;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    if (isCut) return void near.destroy();
    const far = connect(Number(target.port), target.hostname);
    for (const [socket, other] of [[near, far], [far, near]] as const) {
      sockets.add(socket);
      socket.pipe(other);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    near.on('data', ({ length }) => {
      bytesToCut -= length;
      if (bytesToCut > 0) return;
      bytesToCut = Infinity;
      cut();
      afterCut();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const breakAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const cut = (): void => {
    isCut = true;
    breakAll();
  };
  return {
    url: `http://127.0.0.1:${address.port}`,
    retarget(to) {
      target = new URL(to);
    },
    cut,
    cutAfter(byteCount, onCut) {
      bytesToCut = byteCount;
      afterCut = onCut;
    },
    mend() {
      isCut = false;
    },
    async stop() {
      const closed = once(server, 'close');
      server.close();
      breakAll();
      await closed;
    },
  };
}
