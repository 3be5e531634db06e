import type { FailedUpload, ServiceFigures } from '../../wire/documents.ts';
import { FailureTable } from './failure-table.ts';
import { showFigures } from './figures-view.ts';
import { pollWhileVisible } from './poll-while-visible.ts';
import { required, setText } from '../dom.ts';

/** An answer that takes longer counts as none. */
const PATIENCE_MS = 10_000;

const status = required('#status', HTMLElement);
const main = required('#figures', HTMLElement);
const failures = new FailureTable(retry);
const askAgain = pollWhileVisible(look);

/** Figures that cannot be had leave the last ones where they are, and say so. */
async function look(): Promise<void> {
  try {
    const response = await ask('/operators/figures');
    // Of this very service, page and answer being of one process.
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

async function retry({ id }: FailedUpload): Promise<void> {
  await ask(`/operators/uploads/${id}/retry`, { method: 'POST' });
  askAgain();
}

/** Throws what the problem says where the answer is one. */
async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  // A page that was opened with name and password in its address may not fetch a path as it stands.
  const response = await fetch(location.origin + path, {
    ...init,
    cache: 'no-store',
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (response.ok) return response;
  const problem: unknown = await response.json().catch(() => undefined);
  const isTold = typeof problem === 'object' && problem !== null && 'detail' in problem;
  throw new Error(isTold ? String(problem.detail) : `the service answered ${response.status}`);
}
