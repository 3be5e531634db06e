import { once } from 'node:events';
import { connect, createServer, type NetConnectOpts, type Socket } from 'node:net';
import { listen } from '../../../test/helpers/listen.ts';

/** A network link that can be broken. It forwards bytes to a TCP port or a unix socket. */
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

  /**
   * Listens on a free port of 127.0.0.1.
   * @param target a service's URL, or the path of a unix socket; without it connections are accepted and closed
   */
  static async open(target?: string): Promise<Link> {
    const sockets = new Set<Socket>();
    const state: LinkState = {
      target,
      isBroken: false,
      isSilent: false,
      bytesToCut: Infinity,
      onBytes: () => undefined,
    };
    const server = createServer((near) => join(near, sockets, state));
    const port = await listen(server);
    return new Link(port, sockets, state, async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    });
  }

  /** The URL of the link, for a service that speaks HTTP. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Changes the target of new connections. */
  retarget(target: string): void {
    this.#state.target = target;
  }

  /** Closes all connections, and each new one until the link is repaired. */
  cut(): void {
    this.#state.isBroken = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Cuts the link after this many more bytes towards the target, and calls `onCut`. */
  cutAfter(byteCount: number, onCut: () => void): void {
    this.#state.bytesToCut = byteCount;
    this.#state.onBytes = () => {
      this.cut();
      onCut();
    };
  }

  /** Forwards nothing and closes nothing until the link is repaired. */
  silence(): void {
    this.#state.isSilent = true;
    for (const socket of this.#sockets) socket.pause();
  }

  repair(): void {
    this.#state.isBroken = false;
    this.#state.isSilent = false;
    for (const socket of this.#sockets) socket.resume();
  }

  async close(): Promise<void> {
    await this.#close();
  }
}

interface LinkState {
  target: string | undefined;
  isBroken: boolean;
  isSilent: boolean;
  /** The number of bytes after which `onBytes` is called, once. */
  bytesToCut: number;
  onBytes: () => void;
}

function join(near: Socket, sockets: Set<Socket>, state: LinkState): void {
  near.on('error', () => undefined);
  if (state.isBroken || state.target === undefined) return void near.destroy();
  const far = connect(addressOf(state.target));
  for (const [socket, other] of [
    [near, far],
    [far, near],
  ] as const) {
    sockets.add(socket);
    socket.on('data', (chunk: Buffer) => {
      if (!other.write(chunk)) socket.pause();
      if (socket === near) count(chunk.length, state);
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

function addressOf(target: string): NetConnectOpts {
  if (target.startsWith('/')) return { path: target };
  const { hostname, port } = new URL(target);
  return { host: hostname, port: Number(port) };
}

function count(byteCount: number, state: LinkState): void {
  state.bytesToCut -= byteCount;
  if (state.bytesToCut > 0) return;
  state.bytesToCut = Infinity;
  state.onBytes();
}
