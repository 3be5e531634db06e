import { describe, expect, test } from '@jest/globals';
import { eventTimeOf, waitForRecords, type RecordWait } from '../../../src/record/record-wait.ts';
import { complete, eventOf, ID, openRegistry } from './states.ts';

function waitFor(more: Partial<RecordWait<string>> = {}): RecordWait<string> {
  return {
    ids: [ID],
    timeoutMs: 1000,
    read: async () => undefined,
    decide: () => undefined,
    timeoutValue: () => 'timed out',
    ...more,
  };
}

describe('the time of the event that resolved it', () => {
  test('is the time of the first event that decided', async () => {
    const registry = openRegistry();
    const result = await waitForRecords(registry, waitFor({ decide: () => 'by event' }));
    registry.wake(ID, eventOf({ eventAtMs: 100 }));
    registry.wake(ID, eventOf({ eventAtMs: 200 }));
    expect(eventTimeOf(result)).toBe(100);
    complete(result);
  });

  test('is undefined if no event decided', async () => {
    const result = await waitForRecords(openRegistry(), waitFor({ read: async () => 'seen' }));
    expect(eventTimeOf(result)).toBeUndefined();
    complete(result);
  });
});
