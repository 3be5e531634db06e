import Router from '@koa/router';
import type {
  AppControllerRoute,
  AppViewRoute,
  BullBoardQueues,
  ControllerHandlerReturnType,
  IServerAdapter,
  UIConfig,
} from '@bull-board/api/dist/types.js';
import type { Context, Middleware } from 'koa';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, extname, join, relative } from 'node:path';
import type { InspectedQueues } from '../queue/inspected-queues.ts';
import { OPERATORS_PATH } from './operator-guard.ts';

/** Where the board lies. */
export const BOARD_PATH = `${OPERATORS_PATH}/queues`;

/** The one style that its script makes; another version may have another, which a browser's console tells. */
const STYLE_OF_ITS_SCRIPT = 'sha256-r2N1TB/gHbBtBZFKg7ejmq1acVSREzucTAEw6ga4hoU=';

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  `style-src 'self' '${STYLE_OF_ITS_SCRIPT}'`,
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** What its page does without under that policy: fonts from elsewhere, and the inline styles of what stands there while it loads. */
const DROPPED = [/<link href="https?:[^<>]*>/g, /<style>[^<]*<\/style>/g, / style="[^"]*"/g];

const STATIC_SECONDS = 3600;

const UI_CONFIG: UIConfig = {
  boardTitle: 'Queues',
  miscLinks: [{ text: 'Live view', url: OPERATORS_PATH }],
  hideDocsLink: true,
  // It would ask Redis for all its clients every few seconds; the live view knows the processes.
  showWorkers: false,
};

/**
 * bull-board, to look into the queues with. It is given no more than its questions: what it could do to a job
 * would pass by the record, which leads. Takes in some 3 MB of code, so open it when somebody wants to see it.
 */
export async function openQueueBoard({ uploads, sweeps }: InspectedQueues): Promise<Middleware> {
  const [{ createBullBoard }, { BullMQAdapter }] = await Promise.all([
    import('@bull-board/api'),
    import('@bull-board/api/bullMQAdapter'),
  ]);
  const board = new Board();
  const uiBasePath = dirname(createRequire(import.meta.url).resolve('@bull-board/ui/package.json'));
  const queues = [uploads, sweeps].map(
    (queue) => new BullMQAdapter(queue, { readOnlyMode: true, allowRetries: false }),
  );
  createBullBoard({ queues, serverAdapter: board, options: { uiBasePath, uiConfig: UI_CONFIG } });
  const statics = await board.readStatics();
  const page = await board.readPage();
  const router = new Router({ prefix: BOARD_PATH, strict: true, sensitive: true });
  for (const path of board.pagePaths()) router.get(path, (ctx) => answerPage(ctx, page));
  for (const route of board.questions()) router.get(route.route, async (ctx) => await board.answer(ctx, route));
  const answered = router.routes() as unknown as Middleware;
  return async (ctx, next) => {
    if (ctx.path === BOARD_PATH) return ctx.redirect(`${BOARD_PATH}/`);
    const file = ctx.method === 'GET' || ctx.method === 'HEAD' ? statics.get(ctx.path) : undefined;
    return file === undefined ? await answered(ctx, next) : await answerStatic(ctx, file);
  };
}

function answerPage(ctx: Context, page: string): void {
  ctx.set('Content-Security-Policy', CONTENT_SECURITY_POLICY);
  ctx.type = 'html';
  ctx.body = page;
}

async function answerStatic(ctx: Context, file: string): Promise<void> {
  ctx.set('Cache-Control', `private, max-age=${STATIC_SECONDS}`);
  ctx.type = extname(file);
  ctx.body = await readFile(file);
}

/** What bull-board hands to a server, kept until it is asked for. */
class Board implements IServerAdapter {
  #queues: BullBoardQueues = new Map();
  #viewsPath = '';
  #statics = { path: '', directory: '' };
  #entry: AppViewRoute | undefined;
  #routes: readonly AppControllerRoute[] = [];
  #uiConfig: UIConfig = {};

  setQueues(queues: BullBoardQueues): this {
    this.#queues = queues;
    return this;
  }

  setViewsPath(path: string): this {
    this.#viewsPath = path;
    return this;
  }

  setStaticPath(path: string, directory: string): this {
    this.#statics = { path, directory };
    return this;
  }

  setEntryRoute(entry: AppViewRoute): this {
    this.#entry = entry;
    return this;
  }

  /** Its errors are answered like all others. */
  setErrorHandler(_handler: (error: Error) => ControllerHandlerReturnType): this {
    return this;
  }

  setApiRoutes(routes: AppControllerRoute[]): this {
    this.#routes = routes;
    return this;
  }

  setUIConfig(config: UIConfig): this {
    this.#uiConfig = config;
    return this;
  }

  pagePaths(): string[] {
    return [this.#entry?.route ?? []].flat();
  }

  /** What reads and changes nothing. */
  questions(): AppControllerRoute[] {
    return this.#routes.filter(({ method }) => [method].flat().includes('get'));
  }

  async answer(ctx: Context, route: AppControllerRoute): Promise<void> {
    const headers = Object.fromEntries(Object.entries(ctx.headers).map(([name, value]) => [name, value?.toString()]));
    const asked = {
      queues: this.#queues,
      uiConfig: this.#uiConfig,
      params: ctx['params'] as Record<string, unknown>,
      query: ctx.query,
      body: {},
      headers,
    };
    const { status = 200, body } = await route.handler(asked);
    ctx.status = status;
    ctx.body = body;
  }

  /** The files of the page by the path that each is asked for at; no other path reaches the disk. */
  async readStatics(): Promise<ReadonlyMap<string, string>> {
    const { path, directory } = this.#statics;
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    return new Map(
      files.map((file) => [`${BOARD_PATH}${path}/${relative(directory, file).replaceAll('\\', '/')}`, file]),
    );
  }

  /** The one page, with its few values in place. */
  async readPage(): Promise<string> {
    if (this.#entry === undefined) throw new Error('the board has no page');
    const { name, params } = this.#entry.handler({ basePath: BOARD_PATH, uiConfig: this.#uiConfig });
    const template = await readFile(join(this.#viewsPath, name), 'utf8');
    const page = DROPPED.reduce((text, dropped) => text.replaceAll(dropped, ''), template);
    return page.replaceAll(/<%[=-]\s*(\w+)\s*%>/g, (_tag, value: string) => params[value] ?? '');
  }
}
