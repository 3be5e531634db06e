import { beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { Upload } from '../../src/wire/documents.ts';
import { getJson, putFile } from '../helpers/client.ts';
import { connectEachTest } from '../helpers/connect-each-test.ts';
import { endWithNothingLeft } from '../helpers/end-with-nothing-left.ts';
import { eventually } from '../helpers/eventually.ts';
import { patienceMs } from '../helpers/patience.ts';
import { photo } from '../helpers/pictures.ts';
import { METHODS, receiving, SENDERS, type Method } from '../helpers/raw-senders.ts';
import { startService, type Service } from '../helpers/service.ts';

/** The limit of silence. A busy machine is not silent for this time, and a test can wait for it. */
const STALL_MS = Math.min(patienceMs(1500), 8000);
const BYTE_PERIOD_MS = 200;

/** Sets Node's own limit for a request to one second instead of five minutes. */
const HASTY_SERVER = { NODE_OPTIONS: `--import=${pathToFileURL(resolve('test/helpers/hasty-server.mjs')).href}` };

/** More bytes than any process or system buffers. */
const SURPLUS = Buffer.alloc(3_000_000, 'and so on ');

let service: Service;
let bytes: Buffer;

beforeAll(async () => {
  const [started, picture] = await Promise.all([
    startService({ env: { ...HASTY_SERVER, UPLOAD_STALL_TIMEOUT_MS: String(STALL_MS) }, workers: 0 }),
    photo({ width: 300, height: 200 }),
  ]);
  service = started;
  bytes = Buffer.concat([picture, SURPLUS]);
});
endWithNothingLeft(() => service);
const connected = connectEachTest(() => service);

/** Begins a request and sends the given share of its bytes. */
async function begun(method: Method, sentShare: number) {
  const connection = await connected();
  const sender = await SENDERS[method](service.url, bytes);
  const sent = Math.floor(sender.body.length * sentShare);
  await connection.send(`${sender.head}Content-Length: ${sender.body.length}\r\n\r\n`, sender.body.subarray(0, sent));
  await receiving(service.url, 1);
  return { ...sender, connection, sent };
}

describe.each(METHODS)('an upload by %s', (method) => {
  test.each([
    ['with the first byte', 0],
    ['halfway', 0.5],
    ['shortly before the end', 0.99],
  ])('has the right outcome if its sender disconnects %s', async (_when, share) => {
    const { connection, outcome, received, sent } = await begun(method, share);
    if (sent > 0) await received(sent);
    connection.reset();
    const expected = { PUT: 'failed, upload_interrupted', POST: 'nothing', PATCH: `at ${sent}` }[method];
    await eventually(expected, async () => (await outcome()) === expected);
  });

  test('frees its place if its sender disconnects with the last byte', async () => {
    const gone = async () => {
      const connection = await connected();
      const { head, body } = await SENDERS[method](service.url, bytes);
      await connection.send(`${head}Content-Length: ${body.length}\r\n\r\n`, body);
      connection.reset();
    };
    await Promise.all(Array.from({ length: 5 }, gone));
    await receiving(service.url, 0);
  });

  test('is rejected as cut short (400) if the sender closes its side early', async () => {
    const { connection } = await begun(method, 0.5);
    connection.finish();
    expect(await connection.answer()).toMatchObject({ status: 400, code: 'body_cut_short' });
    expect(await connection.ended).toBe('end');
  });
});

/** Like `begun`, while other uploads run. */
async function begunBeside(method: Method, sent: number) {
  const connection = await connected();
  const sender = await SENDERS[method](service.url, bytes);
  await connection.send(`${sender.head}Content-Length: ${sender.body.length}\r\n\r\n`, sender.body.subarray(0, sent));
  return { ...sender, connection, sent };
}

/** Sends single bytes for longer than a sender may be silent, and then the rest. */
async function sendSlowly(method: Method): Promise<[method: string, status: number]> {
  const { connection, body, sent } = await begunBeside(method, 20_000);
  const untilMs = performance.now() + 2 * STALL_MS;
  let at = sent;
  for (; performance.now() < untilMs; at += 1) {
    await connection.send(body.subarray(at, at + 1));
    await pause(BYTE_PERIOD_MS);
  }
  await connection.send(body.subarray(at));
  return [method, (await connection.answer()).status];
}

/** Sends the file without its last `left` bytes, and then nothing. */
async function standStill(method: Method, left: number) {
  const { connection, outcome, sent } = await begunBeside(method, bytes.length - left);
  const { status, code } = await connection.answer();
  return { method, status, code, outcome: (await outcome()).replace(`at ${sent}`, 'as sent') };
}

/** Runs three senders under the id of a stored upload: one stalls, one disconnects, one sends another file. */
async function disturbStored() {
  const id = randomUUID();
  const { body: stored } = await putFile<Upload>(service.url, id, bytes, 'a.jpg');
  const head = `PUT /uploads/${id} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${bytes.length}\r\n\r\n`;
  const [vanishing, still, other] = await Promise.all([connected(), connected(), connected()]);
  await Promise.all([vanishing, still].map((connection) => connection.send(head, bytes.subarray(0, 500_000))));
  vanishing.reset();
  await other.send(head, Buffer.concat([bytes.subarray(0, -1), Buffer.from('!')]));
  const codes = [(await other.answer()).code, (await still.answer()).code];
  return { codes, before: stored, after: (await getJson<Upload>(`${service.url}/uploads/${id}`)).body };
}

describe('a sender', () => {
  let slow: Awaited<ReturnType<typeof sendSlowly>>[];
  let still: Awaited<ReturnType<typeof standStill>>[];
  let stored: Awaited<ReturnType<typeof disturbStored>>;

  // All senders run at the same time, because each takes several seconds.
  beforeAll(async () => {
    [slow, still, stored] = await Promise.all([
      Promise.all(METHODS.map(sendSlowly)),
      Promise.all(METHODS.flatMap((method) => [bytes.length, 1_000_000, 1].map((left) => standStill(method, left)))),
      disturbStored(),
    ]);
  });

  test('that sends single bytes above the minimum rate succeeds', () => {
    expect(slow).toEqual([
      ['PUT', 202],
      ['POST', 202],
      ['PATCH', 204],
    ]);
  });

  test('that stalls at the first byte, in the middle or before the end gets its answer', () => {
    const tooSlow = { status: 408, code: 'upload_too_slow' };
    expect(still).toEqual([
      ...Array<unknown>(3).fill({ method: 'PUT', ...tooSlow, outcome: 'failed, upload_too_slow' }),
      ...Array<unknown>(3).fill({ method: 'POST', ...tooSlow, outcome: 'nothing' }),
      // The received bytes are kept, and the answer contains the offset.
      ...Array<unknown>(3).fill({ method: 'PATCH', status: 204, code: 'none', outcome: 'as sent' }),
    ]);
  });

  test('that disconnects, stalls or sends another file changes nothing under the id of a stored upload', () => {
    expect(stored.codes).toEqual(['upload_conflict', 'upload_too_slow']);
    expect(stored.after).toMatchObject({ state: 'queued', version: stored.before.version, error: null });
  });
});
