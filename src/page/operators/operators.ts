import type { DeliveryList, ServiceFigures } from '../../wire/documents.ts';
import { ActionTable } from './action-table.ts';
import { showFailureReasons } from './failure-reasons.ts';
import { showFigures } from './figures-view.ts';
import { showTenants } from './tenants-view.ts';
import { searchUploads } from './upload-search.ts';
import { pollWhileVisible } from './poll-while-visible.ts';
import { required, setText } from '../dom.ts';

/** A request that takes longer has failed. */
const REQUEST_LIMIT_MS = 10_000;

// The address is absolute: if that of the page contains a name and password, browsers reject relative ones in `fetch`.
const SERVICE = location.origin + new URL('..', import.meta.url).pathname;

const status = required('#status', HTMLElement);
const main = required('#figures', HTMLElement);
const failures = new ActionTable({
  name: 'failures',
  action: 'Retry',
  act: (id) => post(`operators/uploads/${id}/retry`),
});
const deliveries = new ActionTable({
  name: 'deliveries',
  action: 'Replay',
  act: (id) => post(`operators/deliveries/${id}/replay`),
});
const refreshNow = pollWhileVisible(refresh);
searchUploads((path) => ask(path));

/** Reads and shows the figures. If that fails, the last figures stay and the status line shows the reason. */
async function refresh(): Promise<void> {
  try {
    const [response, listed] = await Promise.all([ask('operators/figures'), ask('operators/deliveries')]);
    // The process that served this page also answers here, so the documents have these types.
    const figures = (await response.json()) as ServiceFigures;
    showFigures(figures);
    showFailureReasons(figures);
    showFailures(figures);
    showDeliveries((await listed.json()) as DeliveryList, Date.parse(figures.at));
    showTenants(figures.tenants);
    main.hidden = false;
    status.classList.remove('away');
    setText(status, 'Live');
  } catch (error) {
    status.classList.add('away');
    setText(status, `No figures: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function showFailures({ failures: { count, newest }, at }: ServiceFigures): void {
  const lines = newest.map(({ ref: id, name, code, attempts, failedAt }) => ({
    id,
    title: name,
    detail: id,
    reason: code,
    tries: attempts,
    failedAt,
  }));
  failures.show(count, lines, Date.parse(at));
}

function showDeliveries({ count, deliveries: newest }: DeliveryList, nowMs: number): void {
  const lines = newest.map(({ id, type, tenant, endpoint, upload, reason, tries, createdAt, failedAt }) => ({
    id,
    title: `${type} to ${tenant}, ${endpoint}`,
    detail: upload,
    reason: reason ?? '',
    tries,
    failedAt: failedAt ?? createdAt,
  }));
  deliveries.show(count, lines, nowMs);
}

async function post(path: string): Promise<void> {
  await ask(path, { method: 'POST' });
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
