import type { Progress, UploadState } from '../../../src/wire/documents.ts';
import type { LossBetween, ProgressChecker } from '../progress-checker.ts';
import { codeOf, type Answer, type Caller, type Question } from './caller.ts';
import type { ClientLog } from './client-log.ts';

/** An upload, and what its follower has to know of what its client does besides. */
export interface Followed {
  readonly id: string;
  readonly caller: Caller;
  readonly clientLog: ClientLog;
  readonly checker: ProgressChecker;
  readonly lossBetween: LossBetween;
  readonly by: 'one' | 'many';
  readonly holdMs: number;
  /** The client has an answer that says so: from then on the upload must be there. */
  isAccepted(): boolean;
  /** Nothing more is sent, cancelled or deleted: a final state is the last then. */
  isSettled(): boolean;
  /** A request of the client that was never answered may begin it anew. */
  mayRestart(): boolean;
  /** The client has asked for its removal. */
  mayBeGone(): boolean;
  /** The client has asked for its end: where Redis has lost that together with the upload, nothing may be left of it. */
  mayBeLost(): boolean;
}

const PAUSE_MS = 150;
/** What Redis has lost comes back with the next look through the storage. */
const RESTORED_WITHIN_MS = 60_000;

/**
 * Polls as the contract says: each answer's version is the next question's `since`, and any process may be asked. Resolves
 * with the state in which the upload has ended, `gone` where it answers so, or undefined where it never came to be.
 */
export async function follow(followed: Followed): Promise<UploadState | 'gone' | undefined> {
  let last: Progress | undefined;
  for (;;) {
    const wasSettled = followed.isSettled();
    const wasAccepted = followed.isAccepted();
    const since = last?.version;
    const answer = await followed.caller.ask(question(followed, since));
    const told = followed.by === 'one' ? answer.body : firstOf(answer.body);
    if (isProgress(told)) {
      last = told;
      look(followed, told, since, answer);
    } else if (isGone(told)) {
      if (!followed.mayBeGone())
        followed.clientLog.offence(
          `a poll of ${followed.id} is told that it is gone, and nobody has deleted it`,
          answer,
        );
      return 'gone';
    } else if (
      codeOf(told) === 'unknown_upload' &&
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
    // What is final answers at once, as errors do; the first is asked again only while its client may still change it.
    if (last?.final !== false || !(isProgress(told) || isTimeout(answer.body))) await followed.caller.rest(PAUSE_MS);
  }
}

function look(
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

function isProgress(told: unknown): told is Progress {
  return typeof told === 'object' && told !== null && 'version' in told && 'percent' in told && 'links' in told;
}

function isGone(told: unknown): boolean {
  return codeOf(told) === 'upload_gone';
}

function isTimeout(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'timedOut' in body && body.timedOut === true;
}
