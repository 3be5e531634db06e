import { connect } from 'node:net';

/** The address of a Redis: a unix socket or a TCP port. */
export type RedisAddress = { readonly path: string } | { readonly host: string; readonly port: number };

/**
 * Returns whether a Redis answers PING with PONG. Never rejects. False also while it loads its data. Log lines are not
 * used, because their wording differs between socket and port.
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
