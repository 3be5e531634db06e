declare module 's3rver' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  /** A Koa application with the S3 API that stores objects in `store`. */
  export default class S3rver {
    constructor(options: { silent: boolean; vhostBuckets: boolean; configureBuckets: { name: string }[] });
    store: object;
    readonly context: { store: object };
    configureBuckets(): Promise<unknown>;
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  }
}

declare module 's3rver/lib/models/object.js' {
  import type { Readable } from 'node:stream';

  export default class S3Object {
    constructor(bucket: string, key: string, content: Readable, metadata: Readonly<Record<string, unknown>>);
    readonly bucket: string;
    readonly key: string;
    readonly content: Readable;
    readonly metadata: Readonly<Record<string, string>>;
    range?: { start: number; end: number };
  }
}

declare module 's3rver/lib/models/error.js' {
  export default class S3Error extends Error {
    constructor(code: string, message: string);
  }
}
