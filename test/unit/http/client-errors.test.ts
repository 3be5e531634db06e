import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { answerClientErrors } from '../../../src/http/client-errors.ts';
import { parsableTargets } from '../../../src/http/request-target.ts';
import { problemResponses } from '../../../src/http/problem.ts';
import { readBody } from '../../../src/intake/body.ts';
import { silentLog } from '../../helpers/record-space.ts';
import { serve, type Served } from './serve.ts';
import { codeOf } from '../../helpers/fake-request.ts';
import { turnsUntil } from '../../helpers/turns-until.ts';

let served: Served;
let socket: Socket;
/** How each body ended for the handler. */
let outcomes: string[];

beforeEach(async () => {
  outcomes = [];
  served = await serve(problemResponses(silentLog), parsableTargets(), async (ctx) => {
    const outcome = await codeOf(readAll(readBody(ctx.req, new AbortController().signal)));
    outcomes.push(outcome);
    ctx.body = outcome;
  });
  answerClientErrors(served.server);
  socket = await served.connect();
  socket.on('error', () => undefined);
});
afterEach(async () => {
  socket.destroy();
  await served.close();
});

async function readAll(chunks: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of chunks) void chunk;
}

/** Returns all bytes of the answer until our side ends. */
async function answer(): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString())).resume();
  await once(socket, 'end');
  return text;
}

const CHUNKED = 'PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';

describe('a request that becomes malformed', () => {
  test('is answered once although its sender continues, and its handler is notified', async () => {
    socket.pause();
    socket.write(`${CHUNKED}5\r\nabcde\r\n`);
    await once(served.server, 'request');
    socket.write('zz\r\n');
    for (let round = 0; round < 20; round++) {
      socket.write(Buffer.alloc(50_000, 'and so on '));
      await turn();
    }
    const text = await answer();
    expect(text.match(/HTTP\/1\.1 400 /g)).toHaveLength(1);
    expect(text).toMatch(/Connection: close\r\n.*"code":"bad_request"/s);
    socket.end();
    await turnsUntil('the outcome', () => outcomes.length > 0);
    expect(outcomes).toEqual(['upload_interrupted']);
  });

  test('because its sender ended it too early is body_cut_short', async () => {
    socket.end(`${CHUNKED}5\r\nabcde\r\n`);
    expect(await answer()).toMatch(/^HTTP\/1\.1 400 .*"code":"body_cut_short"/s);
  });
});

test('bytes after a complete request, in any pieces, do not change its answer, and close the connection', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => void warnings.push(warning);
  process.on('warning', onWarning);
  socket.pause();
  socket.write('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcsurplus');
  for (let round = 0; round < 30; round++) {
    socket.write('surplus');
    await turn();
  }
  expect(await answer()).toMatch(/^HTTP\/1\.1 200 .*Connection: close\r\n.*\r\n\r\nnone$/s);
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
});

describe('a request that the service does not support', () => {
  test('is rejected with advice if it is CONNECT', async () => {
    socket.write('CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(await answer()).toMatch(/^HTTP\/1\.1 400 .*"code":"bad_request"/s);
  });

  test('is rejected if it has two Host headers', async () => {
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nhost: y\r\nConnection: close\r\n\r\n');
    expect(await answer()).toMatch(/^HTTP\/1\.1 400 .*"code":"bad_request"/s);
  });

  test('is accepted without a Host if it is HTTP/1.0', async () => {
    socket.write('GET / HTTP/1.0\r\n\r\n');
    expect(await answer()).toMatch(/^HTTP\/1\.1 200 /);
  });
});
