import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { listen } from '../../helpers/listen.ts';

/** Replaces a server or a sentinel in tests of its answers and their order. */
export interface FakeRedis {
  readonly port: number;
  /** The open connections, the oldest first. */
  readonly sockets: readonly Socket[];
  close(): Promise<void>;
}

/** Returns the reply to a command, whose name is in lower case. Undefined sends nothing. */
export type FakeAnswer = (command: readonly string[], socket: Socket) => string | undefined;

/**
 * Starts a fake Redis, which the caller closes. If `endsAtOnce` is false, it does not close its side when a client
 * does. Default true.
 */
export async function startFakeRedis(answer: FakeAnswer, { endsAtOnce = true } = {}): Promise<FakeRedis> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: !endsAtOnce }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.splice(sockets.indexOf(socket), 1));
    socket.on('data', (chunk: Buffer) => {
      for (const [name = '', ...args] of commandsIn(chunk.toString())) {
        // It supports only version 2 of the protocol.
        const reply =
          name.toLowerCase() === 'hello' ? '-NOPROTO no\r\n' : (answer([name.toLowerCase(), ...args], socket) ?? '');
        if (reply !== '') socket.write(reply);
      }
    });
  });
  const port = await listen(server);
  return {
    port,
    sockets,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Returns a bulk string of the protocol of Redis. */
export function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}

/** Returns a list of bulk strings. */
export function bulks(...texts: readonly string[]): string {
  return `*${texts.length}\r\n${texts.map(bulk).join('')}`;
}

/** Returns the commands in a text. Commands are short here, so each arrives completely. */
function commandsIn(text: string): string[][] {
  const lines = text.split('\r\n');
  const commands: string[][] = [];
  for (let at = 0; at < lines.length;) {
    const count = Number(/^\*(\d+)$/.exec(lines[at] ?? '')?.[1] ?? 0);
    if (count > 0) commands.push(Array.from({ length: count }, (_, index) => lines[at + 2 + index * 2] ?? ''));
    at += 1 + count * 2;
  }
  return commands;
}
