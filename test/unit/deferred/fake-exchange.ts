import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import Koa, { type Context, type Middleware } from 'koa';

/** Accepts all writes. */
class FakeSocket extends Socket {
  written = '';

  override _write(chunk: unknown, _encoding: string, callback: () => void): void {
    this.written += String(chunk);
    callback();
  }

  override _writev(chunks: { chunk: unknown }[], callback: () => void): void {
    for (const { chunk } of chunks) this.written += String(chunk);
    callback();
  }
}

const app = new Koa();

/** A request and its response in a real Koa context without a network, so that it can end at a moment of our choice. */
export class FakeExchange {
  readonly ctx: Context;
  readonly #socket = new FakeSocket();
  /** How often the middleware has ended. */
  answers = 0;

  constructor() {
    const req = new IncomingMessage(this.#socket);
    req.method = 'GET';
    req.url = '/';
    const res = new ServerResponse(req);
    res.assignSocket(this.#socket);
    // Node's server does the same after a response.
    res.on('finish', () => {
      res.detachSocket(this.#socket);
      this.#close();
    });
    this.ctx = app.createContext(req, res);
  }

  /** The bytes that the client has received. */
  get written(): string {
    return this.#socket.written;
  }

  /** Sends the request through `middleware`, with `handler` behind it, and writes the answer as Koa does. */
  run(middleware: Middleware, handler: () => unknown): void {
    const done: Promise<unknown> = Promise.resolve(middleware(this.ctx, async () => handler()));
    done.then(
      () => {
        this.answers += 1;
        if (this.ctx.respond !== false) this.ctx.res.end(JSON.stringify(this.ctx.body));
      },
      (error: unknown) => {
        this.answers += 1;
        if (this.ctx.writable) this.ctx.res.end(String(error));
      },
    );
  }

  /** Disconnects the client. All listeners are called before this returns. */
  drop(): void {
    if (this.ctx.res.destroyed) return;
    this.#socket.destroy();
    this.#close();
  }

  #close(): void {
    this.ctx.res.destroyed = true;
    this.ctx.res.emit('close');
  }
}
