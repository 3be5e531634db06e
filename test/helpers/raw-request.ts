import { once } from 'node:events';
import { connect } from 'node:net';

/**
 * Sends bytes that fetch would not send, and resolves with the complete answer, or with all bytes until the server
 * closed. `'hang up'` resets the connection once everything is sent.
 */
export async function rawRequest(url: string, head: string, ...parts: (Buffer | 'hang up')[]): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  let answer = '';
  const answered = new Promise<void>((resolve) => {
    socket.on('close', () => resolve());
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      if (isWhole(answer)) resolve();
    });
  });
  await write(socket, Buffer.from(head, 'latin1'));
  for (const part of parts) {
    if (part === 'hang up') socket.resetAndDestroy();
    else await write(socket, part);
  }
  await answered;
  socket.destroy();
  return answer;
}

async function write(socket: ReturnType<typeof connect>, bytes: Buffer): Promise<void> {
  await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
}

/** True if the text has a head and as many bytes after it as the head announces. */
function isWhole(all: string): boolean {
  const answer = all.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '');
  const end = answer.indexOf('\r\n\r\n');
  const length = /\r\ncontent-length: (\d+)/i.exec(answer)?.[1];
  return end >= 0 && length !== undefined && answer.length - end - 4 >= Number(length);
}
