import { createHash } from 'node:crypto';
import { isFinalState, type Upload } from '../../../src/wire/documents.ts';
import type { ClientResult } from '../clients/client.ts';
import type { LossBetween } from '../progress-checker.ts';
import type { Check } from './check.ts';

const LANES = 8;
/** When Redis dies, it may lose changes that it answered at most this long before. */
const LOST_BEFORE_MS = 2500;

interface ReadState {
  status: number;
  upload: Upload | undefined;
}

/** Asks every API process for every accepted upload and checks the outcome. */
export async function checkOutcomes(
  results: readonly ClientResult[],
  urls: readonly string[],
  lossBetween: LossBetween,
): Promise<Check[]> {
  const findings: Record<'final' | 'same' | 'kept' | 'bytes', string[]> = { final: [], same: [], kept: [], bytes: [] };
  const left = results.filter((result) => result.id !== undefined && result.acceptedAtMs !== undefined);
  const accepted = left.length;
  const lane = async (): Promise<void> => {
    for (let result = left.pop(); result !== undefined; result = left.pop()) {
      const reported = await Promise.all(urls.map(async (url) => await ask(url, result)));
      findings.same.push(...notTheSame(result, reported));
      if (isIntentLost(result, lossBetween)) continue;
      findings.final.push(...notFinal(result, reported));
      findings.kept.push(...notAsPromised(result, reported));
      findings.bytes.push(...(await notReadable(result, reported[0], urls[0] ?? '')));
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return [
    { name: `every accepted upload is final (${accepted})`, findings: findings.final },
    { name: 'all API processes agree on it', findings: findings.same },
    { name: 'its final state equals the state that its client received', findings: findings.kept },
    { name: 'results are readable, and the stored bytes are the sent ones', findings: findings.bytes },
  ];
}

/**
 * Returns whether Redis may have lost the cancel or delete of an upload. Then only the agreement of all processes is
 * checked.
 */
function isIntentLost(
  { plan, sentAtMs, endRequestedAtMs = Infinity }: ClientResult,
  lossBetween: LossBetween,
): boolean {
  return plan.intent !== 'keep' && lossBetween(sentAtMs - LOST_BEFORE_MS, endRequestedAtMs + LOST_BEFORE_MS);
}

async function ask(url: string, { id }: ClientResult): Promise<ReadState> {
  const response = await fetch(`${url}/uploads/${id}`);
  const body = (await response.json()) as Upload;
  return { status: response.status, upload: response.status === 200 ? body : undefined };
}

function notFinal({ id }: ClientResult, reported: readonly ReadState[]): string[] {
  const isFinal = reported.every(
    ({ status, upload }) => status === 410 || (upload !== undefined && isFinalState(upload.state)),
  );
  return isFinal ? [] : [`${id} ${reported.map(describe).join(', ')}`];
}

function notTheSame({ id }: ClientResult, reported: readonly ReadState[]): string[] {
  return new Set(reported.map(describe)).size === 1 ? [] : [`${id} ${reported.map(describe).join(', ')}`];
}

function notAsPromised(
  { id, plan, ended, promised, mayRestart }: ClientResult,
  [reported]: readonly ReadState[],
): string[] {
  const isDoubtful = mayRestart && (plan.intent === 'cancel' || plan.intent === 'stop');
  if (reported === undefined || isDoubtful) return [];
  const now = reported.status === 410 ? 'gone' : (reported.upload?.state ?? `status ${reported.status}`);
  const wanted = promised ?? (plan.intent === 'keep' ? 'completed' : ended);
  const isKept = now === wanted || (wanted === 'completed' && plan.intent === 'delete' && now === 'gone');
  return isKept ? [] : [`${id} (${plan.intent}) is ${now}, was to be ${wanted}, its client saw ${ended}`];
}

async function notReadable(
  { id, sha256, sizeBytes }: ClientResult,
  reported: ReadState | undefined,
  url: string,
): Promise<string[]> {
  const upload = reported?.upload;
  if (upload === undefined || upload.state !== 'completed') return [];
  if (upload.file.sha256 !== sha256 || upload.file.size !== sizeBytes)
    return [`${id} has the digest ${upload.file.sha256} and ${upload.file.size} bytes`];
  const content = await read(`${url}/uploads/${id}/content`);
  if (content.status !== 200 || content.sha256 !== sha256)
    return [`${id} content: ${content.status}, ${content.byteCount} bytes`];
  const variants = upload.result?.kind === 'picture' ? upload.result.variants : [];
  if (variants.length !== 1) return [`${id} has ${variants.length} variants`];
  const findings: string[] = [];
  for (const { name, size, url: path } of variants) {
    const file = await read(url + path);
    const isWhole = file.status === 200 && file.byteCount === size && file.etag === `"${file.sha256}"`;
    if (!isWhole) findings.push(`${id} ${name}: ${file.status}, ${file.byteCount} bytes of ${size}, ${file.etag}`);
  }
  return findings;
}

async function read(url: string): Promise<{ status: number; byteCount: number; sha256: string; etag: string | null }> {
  const response = await fetch(url);
  const bytes = Buffer.from(await response.arrayBuffer());
  return {
    status: response.status,
    byteCount: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    etag: response.headers.get('etag'),
  };
}

function describe({ status, upload }: ReadState): string {
  return upload === undefined ? `status ${status}` : `${upload.state} version ${upload.version}`;
}
