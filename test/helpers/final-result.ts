import type { Upload } from '../../src/wire/documents.ts';
import { getJson } from './client.ts';
import { eventually } from './eventually.ts';
import { LONG_HOLD_MS } from './long-hold.ts';

/** Resolves when the upload is completed or failed, also if a process answers with an error before. */
export async function finalResult(url: string, id: string): Promise<Upload> {
  return await eventually(
    'the upload to be final',
    async () => {
      const { status, body } = await getJson<Upload>(`${url}/uploads/${id}/result?timeout=${LONG_HOLD_MS}`);
      return status === 200 && body;
    },
    30_000,
  );
}
