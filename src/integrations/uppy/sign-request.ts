import type { AwsS3File, DirectRequests } from './direct-requests.ts';

/** A request to S3 that Uppy 6 is about to send. */
export interface AwsS3Request {
  method: 'PUT' | 'POST' | 'GET' | 'DELETE';
  key: string;
  uploadId?: string;
  partNumber?: number;
}

/** The address to which Uppy 6 sends a request. */
export interface AwsS3Address {
  url: string;
  /** Replaces the key of the request. */
  key?: string;
  headers?: Record<string, string>;
}

/** The functions that Uppy 6 calls to sign its requests. */
export interface SigningFunctions {
  generateObjectKey(file: AwsS3File): string;
  signRequest(request: AwsS3Request): Promise<AwsS3Address>;
}

/**
 * Returns the functions for Uppy 6, which only asks for the addresses of S3's requests. Only parts go to S3. The
 * service does the rest before the function returns. Uppy then reads the answer, in the words of S3, from a `data:`
 * address.
 * @param base the address of the service.
 */
export function createSigning(requests: DirectRequests, base: string): SigningFunctions {
  /** The files by key, because `signRequest` does not get the file. */
  const uploads = new Map<string, { file: AwsS3File; id?: Promise<string> | undefined }>();
  let count = 0;
  return {
    generateObjectKey({ name, size, meta }) {
      const key = `file-${(count += 1)}`;
      // The entry is kept, so it must not contain the bytes.
      uploads.set(key, { file: { name, size, meta } });
      return key;
    },
    async signRequest({ method, key, uploadId, partNumber }) {
      if (uploadId === undefined) {
        const upload = uploads.get(key) ?? { file: { size: null } };
        // Uppy puts an empty file as a whole. The service rejects it with a reason.
        if (method !== 'POST' && upload.file.size !== 0)
          throw new Error('The service takes files in parts. Leave shouldUseMultipart as it is.');
        // Uppy asks again if it is paused and resumed before the answer.
        upload.id ??= requests.create(upload.file).catch((error: unknown) => {
          upload.id = undefined;
          throw error;
        });
        const id = await upload.id;
        return { url: answer('InitiateMultipartUploadResult', { UploadId: id }), key: id };
      }
      if (method === 'PUT') return await requests.address(key, partNumber ?? 1);
      if (method === 'DELETE') {
        await requests.abort(key);
        return { url: 'data:,' };
      }
      const parts = await requests.stored(key);
      if (method === 'GET') return { url: answer('ListPartsResult', { Part: parts.map(partElement) }) };
      // The list of parts is in the body, which this function does not get. The service checks the parts of the bucket.
      await requests.complete(
        key,
        parts.map(({ number, etag }) => ({ number, etag })),
      );
      return { url: answer('CompleteMultipartUploadResult', { Location: `${base}/uploads/${key}`, Key: key }) };
    },
  };
}

/** Elements of XML by name: text, or one element for each entry. */
type Elements = Readonly<Record<string, string | readonly Readonly<Record<string, string>>[]>>;

function partElement({ number, etag }: { number: number; etag: string }): Record<string, string> {
  return { PartNumber: String(number), ETag: etag };
}

function answer(name: string, elements: Elements): string {
  return `data:application/xml,${encodeURIComponent(element(name, elements))}`;
}

function element(name: string, content: string | Elements): string {
  const inner =
    typeof content === 'string'
      ? content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
      : Object.entries(content)
          .flatMap(([inside, value]) =>
            (typeof value === 'string' ? [value] : value).map((one) => element(inside, one)),
          )
          .join('');
  return `<${name}>${inner}</${name}>`;
}
