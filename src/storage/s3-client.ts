import { S3Client } from '@aws-sdk/client-s3';
import type { S3Settings } from '../settings/s3-settings.ts';

const CONNECT_TIMEOUT_MS = 5_000;

/** Amazon's servers take any region where an endpoint is given, and other servers expect this one. */
const REGION_OF_ENDPOINTS = 'us-east-1';

/** Where a `STORAGE=s3://bucket/prefix` keeps its objects. */
export interface S3Place {
  bucket: string;
  /** Without slashes at its ends; empty for the whole bucket. */
  prefix: string;
}

/** Takes a setting apart whose form has been checked with the other settings. */
export function placeOf(setting: string): S3Place {
  const [bucket = '', ...prefix] = setting.replace(/^s3:\/\//, '').split('/');
  return { bucket, prefix: prefix.join('/').replace(/\/$/, '') };
}

/**
 * A client with the SDK's usual chain of credentials, which tries what may pass three times.
 * @param silenceMs a connection over which nothing moves for so long is cut.
 */
export function createClient(settings: S3Settings, silenceMs: number): S3Client {
  const { endpoint, forcePathStyle, checksums } = settings;
  const region = settings.region ?? (endpoint === undefined ? undefined : REGION_OF_ENDPOINTS);
  // Each download holds a connection for as long as its reader takes: a bound would let slow readers stop uploads.
  const agent = { keepAlive: true, maxSockets: Infinity };
  return new S3Client({
    forcePathStyle,
    requestChecksumCalculation: checksums,
    responseChecksumValidation: checksums,
    // Bodies are in memory already, and asking first would cost a connection for each.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      socketTimeout: silenceMs,
      httpAgent: agent,
      httpsAgent: agent,
    },
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
  });
}
