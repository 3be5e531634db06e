import type { FailedUpload, ServiceFigures } from '../../wire/documents.ts';
import { FailureTable } from './failure-table.ts';
import { showFigures } from './figures-view.ts';
import { pollWhileVisible } from './poll-while-visible.ts';
import { required, setText } from '../dom.ts';

/** A request that takes longer has failed. */
const REQUEST_LIMIT_MS = 10_000;

// Not relative to the page: if its address contains a name and password, browsers reject such a URL in `fetch`.
const SERVICE = location.origin + new URL('..', import.meta.url).pathname;

const status = required('#status', HTMLElement);
const main = required('#figures', HTMLElement);
const failures = new FailureTable(retry);
const refreshNow = pollWhileVisible(refresh);

/** If the request fails, the last figures stay and the status line shows the reason. */
async function refresh(): Promise<void> {
  try {
    const response = await ask('operators/figures');
    // The process that served this page also answers here, so the document has this type.
    const figures = (await response.json()) as ServiceFigures;
    showFigures(figures);
    failures.show(figures.failures, Date.parse(figures.at));
    main.hidden = false;
    status.classList.remove('away');
    setText(status, 'Live');
  } catch (error) {
    status.classList.add('away');
    setText(status, `No figures: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function retry({ ref }: FailedUpload): Promise<void> {
  await ask(`operators/uploads/${ref}/retry`, { method: 'POST' });
  refreshNow();
}

/** Throws with the detail of the problem document if the request fails. */
async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(SERVICE + path, {
    ...init,
    cache: 'no-store',
    signal: AbortSignal.timeout(REQUEST_LIMIT_MS),
  });
  if (response.ok) return response;
  const problem: unknown = await response.json().catch(() => undefined);
  const hasDetail = typeof problem === 'object' && problem !== null && 'detail' in problem;
  throw new Error(hasDetail ? String(problem.detail) : `The server answered with status ${response.status}.`);
}
