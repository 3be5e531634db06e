import type { Progress, UploadState } from '../../../src/wire/documents.ts';
import type { LossBetween, ProgressChecker } from '../progress-checker.ts';
import { codeOf, type Answer, type Caller, type Question } from './caller.ts';
import type { ClientLog } from './client-log.ts';

/** An upload to follow, and what its client does at the same time. */
interface Followed {
  readonly id: string;
  readonly caller: Caller;
  readonly clientLog: ClientLog;
  readonly checker: ProgressChecker;
  readonly lossBetween: LossBetween;
  readonly by: 'one' | 'many';
  readonly holdMs: number;
  /** True after a 2xx answer. From then on the upload must exist. */
  isAccepted(): boolean;
  /** True if nothing more is sent, cancelled or deleted. A final state is then the last one. */
  isSettled(): boolean;
  /** True if an unanswered request of the client may start the upload again. */
  mayRestart(): boolean;
  /** True if the client has asked for the deletion of the upload. */
  mayBeGone(): boolean;
  /**
   * True if the client has asked for a cancel or deletion. If Redis loses that together with the upload, nothing may be
   * left.
   */
  mayBeLost(): boolean;
}

const PAUSE_MS = 150;
/** The reconciliation scan restores lost uploads within this time. */
const RESTORED_WITHIN_MS = 60_000;

/**
 * Polls an upload as the contract says: the version of each answer is the next `since`, and any API process may answer.
 * Resolves with the final state, with `gone`, or with undefined if the upload never existed.
 */
export async function follow(followed: Followed): Promise<UploadState | 'gone' | undefined> {
  let last: Progress | undefined;
  for (;;) {
    const wasSettled = followed.isSettled();
    const wasAccepted = followed.isAccepted();
    const since = last?.version;
    const answer = await followed.caller.ask(question(followed, since));
    const reported = followed.by === 'one' ? answer.body : firstOf(answer.body);
    if (isProgress(reported)) {
      last = reported;
      recordAnswer(followed, reported, since, answer);
    } else if (isGone(reported)) {
      if (!followed.mayBeGone())
        followed.clientLog.offence(`a poll of ${followed.id} got upload_gone, although nobody has deleted it`, answer);
      return 'gone';
    } else if (
      codeOf(reported) === 'unknown_upload' &&
      wasSettled &&
      followed.mayBeLost() &&
      followed.lossBetween(0, answer.answeredAtMs)
    ) {
      return 'gone';
    } else if (
      !isTimeout(answer.body) &&
      wasAccepted &&
      !followed.lossBetween(answer.sentAtMs - RESTORED_WITHIN_MS, answer.answeredAtMs)
    ) {
      followed.clientLog.offence(
        `${answer.status} ${codeOf(answer.body)} to a poll of ${followed.id}, which was accepted`,
        answer,
      );
    }
    if (last?.final === true && wasSettled) return last.state;
    if (last === undefined && wasSettled && !wasAccepted) return undefined;
    // Errors and final states are answered at once, so the client pauses before it polls again. A final state is only
    // polled while its client may still change it.
    if (last?.final !== false || !(isProgress(reported) || isTimeout(answer.body)))
      await followed.caller.rest(PAUSE_MS);
  }
}

function recordAnswer(
  followed: Followed,
  progress: Progress,
  since: number | undefined,
  { sentAtMs, answeredAtMs }: Answer,
): void {
  const { version, percent, state, final, timedOut, links } = progress;
  followed.checker.see(
    { version, percent, state, final, timedOut, life: links.variants, since, sentAtMs, answeredAtMs },
    followed.mayRestart(),
  );
}

function question({ id, by, holdMs }: Followed, since: number | undefined): Question {
  const path =
    by === 'one'
      ? `/uploads/${id}/progress?timeout=${holdMs}${since === undefined ? '' : `&since=${since}`}`
      : `/progress?timeout=${holdMs}&upload=${id}${since === undefined ? '' : `~${since}`}`;
  return { method: 'GET', path, holdMs };
}

function firstOf(body: unknown): unknown {
  const [first]: unknown[] =
    typeof body === 'object' && body !== null && 'uploads' in body && Array.isArray(body.uploads) ? body.uploads : [];
  return typeof first === 'object' && first !== null && 'error' in first && !('state' in first) ? first.error : first;
}

function isProgress(reported: unknown): reported is Progress {
  return (
    typeof reported === 'object' &&
    reported !== null &&
    'version' in reported &&
    'percent' in reported &&
    'links' in reported
  );
}

function isGone(reported: unknown): boolean {
  return codeOf(reported) === 'upload_gone';
}

function isTimeout(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'timedOut' in body && body.timedOut === true;
}
