import { describe, expect, test } from '@jest/globals';
import { StalledChecks } from '../../../workers/stalled-checks.ts';
import { silentLog } from '../../helpers/record-space.ts';

/** Runs the checks with these answers, one for each period, and returns what they did. */
async function run(
  answers: readonly (readonly string[] | Error)[],
): Promise<{ checked: string[]; pausesMs: number[] }> {
  const checked: string[] = [];
  const pausesMs: number[] = [];
  const left = [...answers];
  let end = (): void => undefined;
  const isEnd = new Promise<void>((resolve) => (end = resolve));
  const checks = new StalledChecks<string>({
    inUse: async () => {
      const answer = left.shift();
      if (answer instanceof Error) throw answer;
      return answer ?? [];
    },
    check: async (queue) => void checked.push(queue),
    periodMs: 1000,
    log: silentLog,
    pause: async (ms, signal) => {
      pausesMs.push(ms);
      if (left.length > 0) return;
      end();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  });
  checks.start();
  await isEnd;
  await checks.close();
  return { checked, pausesMs };
}

describe('the checks for permits of dead workers', () => {
  test('check only the queues of which a permit is in use', async () => {
    expect((await run([['picture'], ['picture', 'table'], []])).checked).toEqual(['picture', 'picture', 'table']);
  });

  test('read the queues in every period while a permit is in use, and in every third one otherwise', async () => {
    expect((await run([[], ['picture'], []])).pausesMs).toEqual([3000, 1000, 3000]);
  });

  test('go on in the next period if Redis does not answer', async () => {
    const { checked, pausesMs } = await run([new Error('away'), ['picture']]);
    expect(pausesMs).toEqual([1000, 1000]);
    expect(checked).toEqual(['picture']);
  });
});
