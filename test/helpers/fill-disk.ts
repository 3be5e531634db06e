import { readdir } from 'node:fs/promises';
import { ServiceError } from '../../src/errors.ts';
import { LocalStorage } from '../../src/storage/local-storage.ts';

/** A program with a directory on a small disk. It writes an object that does not fit, and prints the outcome. */
const directory = process.argv[2] ?? '';
const storage = new LocalStorage(directory);
const writer = await storage.create('ab/abcd/big.original');
let code = 'none';
try {
  for (let megabytes = 0; megabytes < 4; megabytes += 1) await writer.write(Buffer.alloc(1024 * 1024, 1));
  await writer.commit();
} catch (error) {
  code = error instanceof ServiceError ? error.code : String(error);
  await writer.discard();
}
process.stdout.write(JSON.stringify({ code, left: await readdir(directory) }));
