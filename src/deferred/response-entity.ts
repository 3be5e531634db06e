/** The parts of an answer. */
export interface ResponseEntityOptions<B> {
  /** Default 200; 204 where there is no body. */
  status?: number;
  /** Anything that Koa takes as a body: JSON value, string, Buffer, stream. Default none. */
  body?: B;
  /** Set last, so a `Content-Type` here beats the one that Koa derives from the body. */
  headers?: Readonly<Record<string, string>>;
}

/**
 * A whole answer as one value: status, headers and body (Spring's name). As the value, the error
 * or the timeout value of a deferred result it decides all three; any other value is a body alone.
 */
export class ResponseEntity<B = unknown> {
  readonly status: number;
  readonly body: B | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(options: ResponseEntityOptions<B> = {}) {
    this.status = options.status ?? (options.body === undefined ? 204 : 200);
    this.body = options.body;
    this.headers = options.headers ?? {};
  }
}
