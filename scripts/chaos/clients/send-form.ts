import { codeOf } from './caller.ts';
import { reportedUpload, type Sending, type ReportedUpload } from './sending.ts';

/** Sends a form until it is accepted. If an answer is lost, the file is sent as another upload. */
export async function sendForm(sending: Sending): Promise<boolean> {
  for (;;) {
    const answer = await sending.caller.once({ method: 'POST', path: '/uploads', body: () => formOf(sending.bytes) });
    if (answer === undefined) continue;
    const reported = firstOf(answer.body);
    // If the process of the request paused for too long, the answer is a success but the upload has failed.
    if (answer.status === 202 && reported !== undefined && reported.state !== 'failed') {
      sending.id = reported.id;
      return true;
    }
    const code = codeOf(answer.body);
    if (reported?.state === 'failed' || code === 'upload_interrupted')
      sending.clientLog.failed(`${answer.status} form ${reported?.state ?? code}`);
    else if (answer.status !== 500) sending.clientLog.offence(`${answer.status} ${code} to POST /uploads`, answer);
    await sending.caller.rest(100);
  }
}

function formOf(bytes: Buffer): FormData {
  const form = new FormData();
  form.append('file', new Blob([new Uint8Array(bytes)]), 'chaos.jpg');
  return form;
}

function firstOf(body: unknown): ReportedUpload | undefined {
  if (typeof body !== 'object' || body === null || !('uploads' in body) || !Array.isArray(body.uploads))
    return undefined;
  return reportedUpload(body.uploads[0]);
}
