import { z } from 'zod';
import { choice } from './forms.ts';

/** How a bucket is reached. Credentials come from the usual sources of Amazon's SDK. */
export interface S3Settings {
  /** Address of the S3 server. If undefined, the endpoint of Amazon. */
  readonly endpoint: string | undefined;
  /** The address at which browsers reach the bucket. If undefined, it is `endpoint`. */
  readonly publicEndpoint: string | undefined;
  /** Region of the bucket. If undefined, the region that Amazon's SDK finds. */
  readonly region: string | undefined;
  /** True if the bucket is written in the path, false if it is a part of the host name. */
  readonly forcePathStyle: boolean;
  readonly checksums: 'WHEN_SUPPORTED' | 'WHEN_REQUIRED';
}

/** Settings that are read only if STORAGE is s3://…. */
export const S3 = {
  S3_ENDPOINT: z
    .url({ protocol: /^https?$/, error: 'must be an address such as https://s3.example.com' })
    .optional()
    .describe(
      "Address of a server other than Amazon's, such as https://s3.example.com. Credentials come from " +
        'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, from ~/.aws, or from the role of the machine.',
    ),
  S3_PUBLIC_ENDPOINT: z
    .url({ protocol: /^https?$/, error: 'must be an address such as https://s3.example.com' })
    .optional()
    .describe(
      'Address at which browsers reach the bucket, if it is another one than S3_ENDPOINT. Only uploads straight to ' +
        'the bucket use it (docs/direct.md).',
    ),
  S3_REGION: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, 'must be the name of a region')
    .optional()
    .describe(
      'Region. If it is empty, AWS_REGION and the other usual sources count; with S3_ENDPOINT it is us-east-1.',
    ),
  S3_FORCE_PATH_STYLE: choice(['true', 'false'])
    .optional()
    .describe(
      'true: the bucket is written in the path. false: it is a part of the host name. If it is empty, true with ' +
        'S3_ENDPOINT and false without.',
    ),
  S3_CHECKSUMS: choice(['when_supported', 'when_required'])
    .optional()
    .describe(
      'Send checksums with every request (when_supported) or only if S3 demands them (when_required). If it is ' +
        'empty, when_required with S3_ENDPOINT and when_supported without.',
    ),
} as const;

/** Fills in the defaults: servers other than Amazon's have the bucket in the path, and few support its checksums. */
export function s3Settings(values: z.infer<z.ZodObject<typeof S3>>): S3Settings {
  const isAmazon = values.S3_ENDPOINT === undefined;
  const checksums = values.S3_CHECKSUMS ?? (isAmazon ? 'when_supported' : 'when_required');
  return {
    endpoint: values.S3_ENDPOINT,
    publicEndpoint: values.S3_PUBLIC_ENDPOINT,
    region: values.S3_REGION,
    forcePathStyle: values.S3_FORCE_PATH_STYLE === undefined ? !isAmazon : values.S3_FORCE_PATH_STYLE === 'true',
    checksums: checksums === 'when_supported' ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED',
  };
}
