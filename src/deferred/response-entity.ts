/** The parts of an answer. */
export interface ResponseEntityOptions<B> {
  /** Default: 200, or 204 without a body. */
  status?: number;
  /** Any body that Koa accepts: JSON value, string, Buffer, stream. Default: none. */
  body?: B;
  /** Set last, so a `Content-Type` here replaces the value that Koa derives from the body. */
  headers?: Readonly<Record<string, string>>;
}

/**
 * A whole answer as one value: status, headers and body (Spring's name). It may be the value, the error or the timeout
 * value of a deferred result. Any other value is only a body.
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
