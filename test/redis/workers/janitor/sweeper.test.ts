import { describe, expect, test } from '@jest/globals';
import type { Logger } from '../../../../src/telemetry/log.ts';
import { Sweeper } from '../../../../workers/janitor/sweeper.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { openJanitorSpace, type JanitorSpace } from '../../../helpers/janitor-space.ts';
import { overriding } from '../../../helpers/overriding.ts';
import { silentLog, uploadIn } from '../../../helpers/record-space.ts';
import { useSpace } from '../../../helpers/use-space.ts';

let janitor: JanitorSpace;

useSpace('test', openJanitorSpace, (opened) => (janitor = opened));

/** Sweeps every few milliseconds until `until` holds. Returns the messages of its log. */
async function sweep(
  until: (messages: readonly string[]) => Promise<boolean>,
  more: Partial<ConstructorParameters<typeof Sweeper>[0]>,
) {
  const messages: string[] = [];
  const note = (_fields: object, message: string): void => void messages.push(message);
  const log = overriding<Logger>(silentLog, { warn: note as Logger['warn'] });
  const { connection, keys, sets } = janitor;
  const queue = { ...janitor.queue, addMany: async () => undefined };
  const installation = { verify: async () => undefined };
  const parts = { ...janitor.parts(), sets, queue, connection, keys, periodMs: 20, installation, log };
  const sweeper = new Sweeper({ ...parts, ...more });
  sweeper.start();
  await eventually('what the sweep does', async () => await until(messages)).finally(() => sweeper.close());
  return messages;
}

async function cancelledWithFiles(): Promise<void> {
  const { id, fencingToken } = await uploadIn(janitor.records, 'queued');
  await janitor.storedUpload(id, { fencingToken });
  await janitor.records.cancel(id);
}

const isEmpty = async (): Promise<boolean> => janitor.files().length === 0;

describe('the janitor', () => {
  test('handles due uploads even if the reconciliation scan fails', async () => {
    await cancelledWithFiles();
    const away = async () => await Promise.reject(new Error('no scan'));
    const sets = overriding(janitor.sets, { reconciliationDue: away });
    // A sweep that is stopped before its end logs no failure.
    const hasFailed = async (seen: readonly string[]) => seen.includes('sweep failed') && (await isEmpty());
    expect(await sweep(hasFailed, { sets })).toContain('sweep failed');
  });

  test('does nothing and warns once while the storage belongs to another installation', async () => {
    await cancelledWithFiles();
    let checks = 0;
    const verify = async (): Promise<void> => {
      checks += 1;
      if (checks <= 3) throw new Error('of another installation');
      expect(janitor.files()).not.toEqual([]);
    };
    const messages = await sweep(isEmpty, { installation: { verify } });
    expect([checks > 3, messages]).toEqual([true, ['janitor paused: the storage cannot be used']]);
  });
});
