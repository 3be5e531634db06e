import { beforeAll } from '@jest/globals';
import { connectEachTest } from './connect-each-test.ts';
import { endWithNothingLeft } from './end-with-nothing-left.ts';
import { photo } from './pictures.ts';
import type { RawConnection } from './raw-connection.ts';
import { startService, type Service } from './service.ts';

/*
 * One API process without a worker for all suites of a test file. It takes one upload at a time from one address, so a
 * request that does not give its place back fails the next one.
 */

let service: Service;
let bytes: Buffer;

beforeAll(async () => {
  const env = { UPLOAD_MAX_BYTES: '300000', UPLOAD_MAX_REQUEST_BYTES: '5000000', UPLOAD_MAX_OPEN_PER_ADDRESS: '1' };
  [service, bytes] = await Promise.all([startService({ env, workers: 0 }), photo({ width: 300, height: 200 })]);
});
endWithNothingLeft(() => service);
const connect = connectEachTest(() => service);

/** The service that the suites share. It cannot be used before the first hook of a suite. */
export const intake = {
  get url(): string {
    return service.url;
  },
  /** A small photo. */
  get bytes(): Buffer {
    return bytes;
  },
  /** Opens a connection that is closed after the test. */
  connect: async (): Promise<RawConnection> => await connect(),
};
