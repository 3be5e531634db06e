import { expect, test } from '@jest/globals';
import { type IntakeSpace, useIntake } from '../helpers/intake-space.ts';
import { UploadHistory } from '../helpers/upload-history.ts';

const RUNS = Number(process.env['LOST_CHANGES_RUNS'] ?? 50);
const SEED = Number(process.env['LOST_CHANGES_SEED'] ?? 1);

let space: IntakeSpace;

useIntake('file', (opened) => (space = opened));

test('an accepted upload is completed and leaves no other files after any loss of changes in Redis', async () => {
  let accepted = 0;
  for (let seed = SEED; seed < SEED + RUNS; seed += 1) {
    const history = new UploadHistory(space, seed);
    const { isAccepted, state, orphans } = await history.run();
    const states = isAccepted ? ['completed'] : ['completed', 'failed', undefined];
    if (!states.includes(state) || orphans.length > 0)
      throw new Error([`seed ${seed}: ${String(state)}, files ${orphans.join(' ')}`, ...history.steps].join('\n'));
    accepted += Number(isAccepted);
    await history.clear();
  }
  expect(accepted).toBeGreaterThan(RUNS / 2);
});
