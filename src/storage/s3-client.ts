import { S3Client } from '@aws-sdk/client-s3';
import type { S3Settings } from '../settings/s3-settings.ts';

const CONNECT_TIMEOUT_MS = 5_000;

/** With an endpoint, Amazon accepts any region and other servers expect this one. */
const REGION_OF_ENDPOINTS = 'us-east-1';

/** The bucket and prefix of `STORAGE=s3://bucket/prefix`. */
export interface S3Place {
  bucket: string;
  /** Without a leading or trailing slash. Empty for the whole bucket. */
  prefix: string;
}

/** Splits the setting `STORAGE`, whose form was checked at the start. */
export function placeOf(setting: string): S3Place {
  const [bucket = '', ...prefix] = setting.replace(/^s3:\/\//, '').split('/');
  return { bucket, prefix: prefix.join('/').replace(/\/$/, '') };
}

/**
 * Creates a client with the SDK's default chain of credentials and three attempts for temporary errors.
 * @param silenceMs a connection is cut if no byte moves for this time.
 */
export function createClient(settings: S3Settings, silenceMs: number): S3Client {
  const { endpoint, forcePathStyle, checksums } = settings;
  const region = settings.region ?? (endpoint === undefined ? undefined : REGION_OF_ENDPOINTS);
  // Each download keeps its connection until the client has read it. With a limit, slow clients could block uploads.
  const agent = { keepAlive: true, maxSockets: Infinity };
  return new S3Client({
    forcePathStyle,
    requestChecksumCalculation: checksums,
    responseChecksumValidation: checksums,
    // The body is already in memory. Waiting for 100 Continue would cost a connection each time.
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

/**
 * Returns a client that sends no checksums: all parts of a multipart upload must have them or none, and those of the
 * clients of the service have none. It is the given one if that sends none either.
 */
export function plainClient(client: S3Client, settings: S3Settings, silenceMs: number): S3Client {
  if (settings.checksums === 'WHEN_REQUIRED') return client;
  return createClient({ ...settings, checksums: 'WHEN_REQUIRED' }, silenceMs);
}

/**
 * Returns a client that signs addresses for clients of the service. It is the given one if they reach S3 under the same
 * address. Otherwise it sends no request.
 */
export function createSigner(plain: S3Client, settings: S3Settings): S3Client {
  const { publicEndpoint, endpoint } = settings;
  if (publicEndpoint === undefined || publicEndpoint === endpoint) return plain;
  return createClient({ ...settings, endpoint: publicEndpoint, checksums: 'WHEN_REQUIRED' }, 0);
}
