import { beforeAll, expect, test } from '@jest/globals';
import { endWithNothingLeft } from '../helpers/end-with-nothing-left.ts';
import { eventually } from '../helpers/eventually.ts';
import { HEAP_REPORTER, heldBytes } from '../helpers/heap.ts';
import { photo } from '../helpers/pictures.ts';
import { NEXT_REQUEST, openConnection } from '../helpers/raw-connection.ts';
import { fieldPart, filePart, FORM_END, formPart, formRequest } from '../helpers/raw-form.ts';
import { chunkOf, LAST_CHUNK, METHODS, receiving, SENDERS } from '../helpers/raw-senders.ts';
import { startService, type Service, type ServiceProcess } from '../helpers/service.ts';

const MIB = 1024 * 1024;
const CHUNKS = 75_000;

let service: Service;
let bytes: Buffer;

beforeAll(async () => {
  const [started, picture] = await Promise.all([
    startService({ env: { ...HEAP_REPORTER, UPLOAD_MAX_BYTES: String(MIB) }, workers: 0 }),
    photo({ width: 300, height: 200 }),
  ]);
  service = started;
  bytes = Buffer.concat([picture, Buffer.alloc(500_000)]);
});
endWithNothingLeft(() => service);

/** Sends all bytes, reads the first answer and disconnects. */
async function exchange(...parts: readonly (Buffer | string)[]): Promise<void> {
  const connection = await openConnection(service.url);
  await connection.send(...parts);
  await connection.answer();
  connection.close();
}

async function vanish(...parts: readonly (Buffer | string)[]): Promise<void> {
  const connection = await openConnection(service.url);
  await connection.send(...parts);
  connection.reset();
}

/** Sends one request of each kind that is rejected and of each kind that is accepted. */
async function round(): Promise<void> {
  const file = filePart('a.jpg', bytes);
  const words = filePart('w.jpg', Buffer.alloc(MIB, 'only words '));
  const large = filePart('l.jpg', Buffer.concat([bytes, Buffer.alloc(MIB)]));
  const forms = [
    [file],
    [file, '--b-'],
    [file, '--b\r\n\r\n'],
    [words, file, large, FORM_END],
    [words, FORM_END],
    [file, ...Array<Buffer>(300).fill(fieldPart('q', '1')), FORM_END],
  ];
  for (const form of forms) await exchange(formRequest(form), NEXT_REQUEST);
  await exchange(
    formRequest([file, formPart(`Content-Disposition: form-data; filename="${'n'.repeat(50_000)}"`, bytes), FORM_END]),
  );
  for (const method of METHODS) {
    const begun = async () => await SENDERS[method](service.url, bytes);
    const { head, body } = await begun();
    await exchange(`${head}Transfer-Encoding: chunked\r\n\r\n`, chunkOf(body), LAST_CHUNK);
    const malformed = await begun();
    await exchange(`${malformed.head}Transfer-Encoding: chunked\r\n\r\n`, chunkOf(malformed.body), 'zz\r\n', body);
    const half = await begun();
    await vanish(`${half.head}Content-Length: ${half.body.length}\r\n\r\n`, half.body.subarray(0, 250_000));
    await exchange(`${half.head}Content-Encoding: gzip\r\nContent-Length: ${half.body.length}\r\n\r\n`, half.body);
  }
  await receiving(service.url, 0);
}

function theApi(): ServiceProcess {
  const [api] = service.apis;
  if (api === undefined) throw new Error('there is no API process');
  return api;
}

test('rejected requests use no memory after their end', async () => {
  const api = theApi();
  // Two rounds compile the code and fill the caches.
  for (let count = 0; count < 2; count += 1) await round();
  const before = await heldBytes(api);
  for (let count = 0; count < 3; count += 1) await round();
  const grown = (await heldBytes(api)) - before;
  expect(grown / MIB).toBeLessThan(3);
});

test.each(METHODS)('a %s in chunks of one byte uses little more memory than its bytes', async (method) => {
  const api = theApi();
  const before = await heldBytes(api);
  const chunks = chunkOf('x').toString('latin1').repeat(CHUNKS);
  const { head, body, received } = await SENDERS[method](service.url, bytes);
  const begun = body.subarray(0, 10_000);
  const connection = await openConnection(service.url);
  await connection.send(`${head}Transfer-Encoding: chunked\r\n\r\n`, chunkOf(begun), chunks);
  await received(begun.length + CHUNKS);
  // If each chunk were kept by itself, they would take 20 MiB.
  await eventually('they are joined', async () => (await heldBytes(api)) - before < 5 * MIB);
  connection.reset();
  await receiving(service.url, 0);
});
