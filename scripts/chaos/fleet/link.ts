import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A stretch of network that can be broken: it passes bytes on to a TCP port or a unix socket, and knows nothing of them. */
export class Link {
  readonly port: number;
  readonly #close: () => Promise<void>;
  readonly #sockets: Set<Socket>;
  readonly #state: LinkState;

  private constructor(port: number, sockets: Set<Socket>, state: LinkState, close: () => Promise<void>) {
    this.port = port;
    this.#sockets = sockets;
    this.#state = state;
    this.#close = close;
  }

  /** Listens at a free port of 127.0.0.1. Without a target it takes connections and ends them. */
  static async open(target?: LinkTarget): Promise<Link> {
    const sockets = new Set<Socket>();
    const state: LinkState = { target, isBroken: false, isSilent: false };
    const server = createServer((near) => join(near, sockets, state));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return new Link(address.port, sockets, state, async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    });
  }

  /** Where new connections go from now on. */
  retarget(target: LinkTarget): void {
    this.#state.target = target;
  }

  /** Ends all connections, and each new one until `mend`. */
  cut(): void {
    this.#state.isBroken = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Passes nothing on and ends nothing, until `mend`. */
  silence(): void {
    this.#state.isSilent = true;
    for (const socket of this.#sockets) socket.pause();
  }

  mend(): void {
    this.#state.isBroken = false;
    this.#state.isSilent = false;
    for (const socket of this.#sockets) socket.resume();
  }

  async close(): Promise<void> {
    await this.#close();
  }
}

/** What a link leads to: the path of a unix socket, or a port of this machine. */
export type LinkTarget = { readonly path: string } | { readonly host: string; readonly port: number };

interface LinkState {
  target: LinkTarget | undefined;
  isBroken: boolean;
  isSilent: boolean;
}

function join(near: Socket, sockets: Set<Socket>, state: LinkState): void {
  near.on('error', () => undefined);
  if (state.isBroken || state.target === undefined) return void near.destroy();
  const far = connect(state.target);
  for (const [socket, other] of [[near, far], [far, near]] as const) {
    sockets.add(socket);
    socket.on('data', (chunk: Buffer) => {
      if (!other.write(chunk)) socket.pause();
    });
    socket.on('drain', () => {
      if (!state.isSilent) other.resume();
    });
    socket.on('error', () => other.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      other.destroy();
    });
    if (state.isSilent) socket.pause();
  }
}
