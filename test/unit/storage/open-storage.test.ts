import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, loadConfig } from '../../../src/settings/config.ts';
import { openStorage } from '../../../src/storage/open-storage.ts';
import { putObject } from '../../../src/storage/storage.ts';
import { refuse, startS3Server, S3_CREDENTIALS, type S3Server } from '../../helpers/s3-server.ts';
import { openTempStorage } from '../../helpers/temp-storage.ts';

/** Keeps the library from searching for credentials on the network or in the home directory. */
const ENVIRONMENT = {
  ...S3_CREDENTIALS,
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
};

let server: S3Server;

beforeEach(async () => {
  Object.assign(process.env, ENVIRONMENT);
  server = await startS3Server();
});
afterEach(async () => {
  await server.close();
});

const open = (environment: Record<string, string> = {}) =>
  openStorage(loadConfig({ STORAGE: `s3://${server.bucket}/x`, S3_ENDPOINT: server.url, ...environment }));

describe('STORAGE=s3://…', () => {
  test.each([
    ['', 'ab/1'],
    ['/', 'ab/1'],
    ['/one', 'one/ab/1'],
    ['/one/two/', 'one/two/ab/1'],
  ])('stores objects below the prefix %j', async (prefix, name) => {
    const storage = await open({ STORAGE: `s3://${server.bucket}${prefix}` });
    await putObject(storage, 'ab/1', Buffer.from('x'));
    await storage.close?.();
    expect(server.memory.keys()).toEqual([name]);
  });

  test('sends one request at the start: it lists one object', async () => {
    await (await open()).close?.();
    expect(server.operations).toEqual(['ListObjectsV2']);
  });

  test('rejects a missing bucket with one line', async () => {
    await expect(open({ STORAGE: 's3://other-bucket' })).rejects.toEqual(
      new ConfigError(`STORAGE: S3 at ${server.url} has no bucket "other-bucket"`),
    );
  });

  test('rejects a wrong key with one line', async () => {
    process.env['AWS_ACCESS_KEY_ID'] = 'NOBODY';
    await expect(open()).rejects.toEqual(
      new ConfigError(
        `STORAGE: S3 at ${server.url} rejects these credentials for bucket "test-bucket": InvalidAccessKeyId`,
      ),
    );
  });

  test("reads the key from the user's credentials file if the environment has none", async () => {
    const temp = await openTempStorage();
    const path = join(temp.directory, 'credentials');
    await writeFile(
      path,
      `[default]\naws_access_key_id = ${S3_CREDENTIALS.AWS_ACCESS_KEY_ID}\naws_secret_access_key = ${S3_CREDENTIALS.AWS_SECRET_ACCESS_KEY}\n`,
    );
    for (const name of Object.keys(S3_CREDENTIALS)) delete process.env[name];
    process.env['AWS_SHARED_CREDENTIALS_FILE'] = path;
    await (await open()).close?.();
    expect(server.operations).toEqual(['ListObjectsV2']);
    await temp.remove();
  });

  test('rejects missing credentials with one line that names the settings', async () => {
    delete process.env['AWS_ACCESS_KEY_ID'];
    await expect(open()).rejects.toThrow(/^STORAGE: no S3 credentials are found; set AWS_ACCESS_KEY_ID/);
  });

  test.each([
    [403, 'AccessDenied', 'rejects these credentials'],
    [403, 'SignatureDoesNotMatch', 'rejects these credentials'],
    [400, 'ExpiredToken', 'rejects these credentials'],
    [301, 'PermanentRedirect', 'is in another region; set S3_REGION'],
    [400, 'AuthorizationHeaderMalformed', 'is in another region; set S3_REGION'],
    [400, 'InvalidBucketName', 'rejects bucket "test-bucket": InvalidBucketName: No.'],
  ])('rejects an answer of %i %s with one line', async (status, name, words) => {
    server.fault = (request) => refuse(request, status, name);
    const error = await open().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).toContain(words);
    expect(String(error)).not.toContain('\n');
  });

  test('reports a server that does not respond with one line, and not as a wrong setting', async () => {
    server.fault = (request) => refuse(request, 503, 'SlowDown');
    const error = await open().catch((reason: unknown) => reason);
    expect(error).not.toBeInstanceOf(ConfigError);
    expect(String(error)).toContain(`STORAGE: S3 at ${server.url} does not respond`);
  });

  test('reports an endpoint without a server with one line', async () => {
    await expect(open({ S3_ENDPOINT: 'http://127.0.0.1:9' })).rejects.toThrow(
      /^STORAGE: S3 at http:\/\/127\.0\.0\.1:9 does not respond: .*ECONNREFUSED/,
    );
  });

  test('rejects a missing region with one line', async () => {
    const config = loadConfig({ STORAGE: `s3://${server.bucket}` });
    await expect(openStorage(config)).rejects.toThrow('STORAGE: the region is missing; set S3_REGION');
  });
});

describe('the settings of S3', () => {
  const s3Of = (environment: Record<string, string>) => loadConfig({ STORAGE: 's3://bucket', ...environment }).s3;

  test('default to Amazon without an endpoint and to other servers with one', () => {
    expect(s3Of({})).toEqual({
      endpoint: undefined,
      region: undefined,
      forcePathStyle: false,
      checksums: 'WHEN_SUPPORTED',
    });
    expect(s3Of({ S3_ENDPOINT: 'https://s3.example.com' })).toEqual({
      endpoint: 'https://s3.example.com',
      region: undefined,
      forcePathStyle: true,
      checksums: 'WHEN_REQUIRED',
    });
  });

  test('override each default', () => {
    const chosen = {
      S3_ENDPOINT: 'http://localhost:9000',
      S3_REGION: 'eu-central-1',
      S3_FORCE_PATH_STYLE: 'false',
      S3_CHECKSUMS: 'when_supported',
    };
    expect(s3Of(chosen)).toEqual({
      endpoint: 'http://localhost:9000',
      region: 'eu-central-1',
      forcePathStyle: false,
      checksums: 'WHEN_SUPPORTED',
    });
  });

  test.each([
    ['STORAGE', 's3://'],
    ['STORAGE', 's3://A'],
    ['STORAGE', 's3://Bucket'],
    ['STORAGE', 's3://bucket//x'],
    ['STORAGE', 's3://bucket/../x'],
    ['STORAGE', 's3://bucket/a b'],
    ['STORAGE', 'http://bucket'],
    ['S3_ENDPOINT', 'localhost:9000'],
    ['S3_ENDPOINT', 'ftp://x'],
    ['S3_REGION', 'EU 1'],
    ['S3_FORCE_PATH_STYLE', 'yes'],
    ['S3_CHECKSUMS', 'never'],
  ])('reject %s=%s and name the setting', (name, value) => {
    expect(() => loadConfig({ [name]: value })).toThrow(`wrong settings: ${name} must be `);
  });

  test('reject a file size of more than 10,000 parts', () => {
    const limits = { UPLOAD_MAX_BYTES: '83886080001', UPLOAD_MAX_REQUEST_BYTES: '83886080001' };
    expect(() => s3Of(limits)).toThrow('UPLOAD_MAX_BYTES must not exceed 83886080000 with STORAGE=s3://');
    expect(loadConfig(limits).uploadMaxBytes).toBe(83_886_080_001);
  });
});
