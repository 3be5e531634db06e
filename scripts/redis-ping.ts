import { connect } from 'node:net';

/** Where a Redis listens: a unix socket, or a TCP port. */
export type RedisAddress = { readonly path: string } | { readonly host: string; readonly port: number };

/**
 * Whether a Redis answers PING there with PONG; never rejects. False also while it still loads
 * its data. Log lines would not do: their wording differs between socket and port.
 */
export function redisPing(address: RedisAddress, timeoutMs = 1000): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address);
    let answer = '';
    const settle = (isUp: boolean): void => {
      socket.destroy();
      resolve(isUp);
    };
    socket.setTimeout(timeoutMs, () => settle(false));
    socket.on('error', () => settle(false));
    socket.on('close', () => settle(false));
    socket.on('connect', () => socket.write('PING\r\n'));
    socket.on('data', (chunk) => {
      answer += chunk.toString();
      if (answer.includes('\r\n')) settle(answer.startsWith('+PONG'));
    });
  });
}
