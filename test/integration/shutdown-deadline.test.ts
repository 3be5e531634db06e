import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { eventually } from '../helpers/eventually.ts';
import { patienceMs } from '../helpers/patience.ts';
import { receiving } from '../helpers/raw-senders.ts';
import { startService, type Service } from '../helpers/service.ts';

/** The grace period, in which even a busy machine can close the other parts. */
const GRACE_MS = Math.min(patienceMs(1500), 6000);

let service: Service;

beforeAll(async () => {
  service = await startService({ workers: 1, env: { SHUTDOWN_GRACE_MS: String(GRACE_MS) } });
});
afterAll(async () => {
  await service.stop();
});

test('a client that neither sends nor reads does not delay the end of a process past its grace period', async () => {
  const { port } = new URL(service.url);
  const stalled = connect({ port: Number(port), host: '127.0.0.1' });
  let isCut = false;
  stalled.on('error', () => undefined).on('close', () => (isCut = true));
  stalled.pause();
  stalled.write(`PUT /uploads/${randomUUID()} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000\r\n\r\nBM`);
  await receiving(service.url, 1);
  const api = service.apis[0];
  expect(await api?.end()).toBe(0);
  expect(api?.output()).not.toContain('shutdown took too long');
  stalled.resume();
  await eventually('the connection to be cut', () => isCut);
});

test('a worker whose Redis hangs ends with 0 within one deadline for its whole close', async () => {
  const [worker] = service.workers;
  process.kill(service.redis.pid, 'SIGSTOP');
  const code = await worker?.end();
  process.kill(service.redis.pid, 'SIGCONT');
  expect(worker?.output()).not.toContain('shutdown took too long');
  expect(code).toBe(0);
});
