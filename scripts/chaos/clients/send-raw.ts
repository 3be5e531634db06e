import { bodyOf } from './body.ts';
import { codeOf, type Answer } from './caller.ts';
import type { Sending } from './sending.ts';

const PAUSE_MS = 120;

/** Codes after which the same file is sent again under the same id. */
const AGAIN: ReadonlySet<string> = new Set(['upload_superseded', 'upload_interrupted']);

/** Sends a `PUT` with an id of the client until it is accepted. Returns false if the client stopped before. */
export async function sendRaw(sending: Sending, id: string): Promise<boolean> {
  sending.id = id;
  while (!sending.isCalledOff) {
    const answer = await put(sending, id);
    if (answer === undefined) continue;
    if (answer.status === 200 || answer.status === 202) return true;
    const code = codeOf(answer.body);
    if (code === 'upload_cancelled' && isCalledOff(sending)) return false;
    if (AGAIN.has(code)) sending.clientLog.failed(`${answer.status} ${code}`);
    else if (answer.status !== 500) sending.clientLog.offence(`${answer.status} ${code} to PUT ${id}`, answer);
    await sending.caller.rest(100);
  }
  return false;
}

async function put(sending: Sending, id: string): Promise<Answer | undefined> {
  sending.unanswered += 1;
  const answer = await sending.caller.once({
    method: 'PUT',
    path: `/uploads/${id}`,
    headers: { 'Content-Disposition': 'attachment; filename="chaos.jpg"' },
    body: () => bodyOf(sending.bytes, sending.pieces, PAUSE_MS),
  });
  if (answer !== undefined) sending.unanswered -= 1;
  return answer;
}

/** Returns whether the client has stopped. It is a function, because the value may change during a request. */
function isCalledOff(sending: Sending): boolean {
  return sending.isCalledOff;
}
