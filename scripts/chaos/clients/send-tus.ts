import { codeOf, type Answer } from './caller.ts';
import type { Sending } from './sending.ts';

const PROTOCOL = { 'Tus-Resumable': '1.0.0' };

/** Statuses of an incomplete upload that is gone. It is started again as another one. */
const LOST: ReadonlySet<number> = new Set([404, 410]);

/** Sends by tus until the last byte is accepted. If the answer to the creation is lost, another upload is created. */
export async function sendTus(sending: Sending): Promise<boolean> {
  for (;;) {
    const id = await create(sending);
    sending.id = id;
    if (id !== undefined && (await sendParts(sending, id))) return true;
  }
}

async function create(sending: Sending): Promise<string | undefined> {
  const headers = {
    ...PROTOCOL,
    'Upload-Length': String(sending.bytes.length),
    'Upload-Metadata': `filename ${btoa('chaos.jpg')}`,
  };
  const answer = await sending.caller.ask({ method: 'POST', path: '/files', headers });
  const id = /\/files\/([0-9a-f-]{36})$/.exec(answer.headers.get('location') ?? '')?.[1];
  if (id === undefined && answer.status !== 500)
    sending.clientLog.offence(`${answer.status} ${codeOf(answer.body)} to POST /files`, answer);
  return id;
}

/** Sends the rest of the file part by part. Returns false if the upload is gone. */
async function sendParts(sending: Sending, id: string): Promise<boolean> {
  const { caller, clientLog, bytes } = sending;
  const size = Math.ceil(bytes.length / sending.pieces);
  let offset: number | undefined = 0;
  while (offset !== bytes.length) {
    const from: number | undefined = offset;
    const answer: Answer | undefined =
      from === undefined
        ? await caller.once({ method: 'HEAD', path: `/files/${id}`, headers: PROTOCOL })
        : await patch(sending, id, from, size);
    if (answer === undefined) {
      offset = undefined;
      continue;
    }
    if (LOST.has(answer.status)) {
      clientLog.failed(`${answer.status} tus ${codeOf(answer.body)}`);
      return false;
    }
    // Another request of this client may be writing: ask for the offset.
    if (answer.status !== 204 && answer.status !== 200 && answer.status !== 409 && answer.status !== 500)
      clientLog.offence(`${answer.status} ${codeOf(answer.body)} to tus ${id}`, answer);
    const reported = answer.headers.get('upload-offset');
    offset = reported === null || answer.status >= 400 ? undefined : Number(reported);
    if (answer.status >= 400) await caller.rest(100);
  }
  return true;
}

async function patch(
  { caller, bytes }: Sending,
  id: string,
  offset: number,
  size: number,
): Promise<Answer | undefined> {
  const headers = { ...PROTOCOL, 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': String(offset) };
  return await caller.once({
    method: 'PATCH',
    path: `/files/${id}`,
    headers,
    body: () => new Uint8Array(bytes.subarray(offset, offset + size)),
  });
}
