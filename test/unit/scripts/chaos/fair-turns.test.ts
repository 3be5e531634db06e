import { describe, expect, test } from '@jest/globals';
import { checkTurns } from '../../../../scripts/chaos/checks/fair-turns.ts';
import { TurnLog } from '../../../../scripts/chaos/turn-log.ts';

/** The tenant is the first letter of an id. */
const tenantOf = (id: string): string | undefined => (id === '?' ? undefined : id[0]);

function logOf(waits: readonly string[], takes: readonly string[]): TurnLog {
  const log = new TurnLog();
  for (const id of waits) log.change(id, { state: 'queued' });
  for (const id of takes) log.change(id, { state: 'processing' });
  return log;
}

const ofA = Array.from({ length: 10 }, (_, index) => `a${index}`);

describe('the check of fair turns', () => {
  test('accepts an order in which tenants take turns', () => {
    const takes = ['a0', 'b0', 'a1', 'b1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'a8', 'a9'];
    const { findings, turns, longestBacklog } = checkTurns(logOf([...ofA, 'b0', 'b1'], takes).turns, tenantOf);
    expect([findings, turns, longestBacklog]).toEqual([[], 12, 10]);
  });

  test('rejects the order first in, first out, if one tenant has a backlog', () => {
    const { findings } = checkTurns(logOf([...ofA, 'b0'], [...ofA, 'b0']).turns, tenantOf);
    expect(findings).toEqual(['b0 of b waited behind 0 of its own, and 10 of a were taken before it']);
  });

  test('rejects too many turns of another tenant while an upload is still not taken', () => {
    const { findings } = checkTurns(logOf(['b0', ...ofA], ofA.slice(0, 3)).turns, tenantOf);
    expect(findings).toHaveLength(1);
  });

  test('allows two turns of another tenant more than the upload has of its own tenant ahead', () => {
    const own = ['b0', 'b1', 'b2'];
    const check = (before: number) =>
      checkTurns(logOf([...own, ...ofA], [...ofA.slice(0, before), ...own]).turns, tenantOf).findings;
    expect([check(2), check(3).length]).toEqual([[], 1]);
  });

  test('counts a taken upload whose wait has no event as a turn, and as ahead of the others of its tenant', () => {
    const check = (waits: readonly string[], takes: readonly string[]) =>
      checkTurns(logOf(waits, takes).turns, tenantOf).findings.length;
    const form = ['b1', 'b2'];
    expect(check(['b0', ...ofA], [...ofA.slice(0, 4), ...form, 'b0'])).toBe(0);
    expect(check(['b0', ...ofA], [...ofA.slice(0, 5), ...form, 'b0'])).toBe(1);
    expect(check(['b0'], [...ofA.slice(0, 2), 'b0'])).toBe(0);
    expect(check(['b0'], [...ofA.slice(0, 3), 'b0'])).toBe(1);
  });

  test('does not count turns of requeued uploads and of unknown ones', () => {
    const log = logOf(['?', ...ofA.slice(0, 4)], ['?', ...ofA.slice(0, 4)]);
    log.change('b0', { state: 'queued' });
    for (const id of ofA.slice(0, 4)) log.change(id, { state: 'queued' });
    for (const id of [...ofA.slice(0, 4), 'b0']) log.change(id, { state: 'processing' });
    expect(checkTurns(log.turns, tenantOf).findings).toEqual([]);
  });

  test('forgets an upload that was cancelled while it waited', () => {
    const log = logOf(['b0', ...ofA], []);
    log.change('b0', { state: 'cancelled' });
    for (const id of ofA) log.change(id, { state: 'processing' });
    expect(checkTurns(log.turns, tenantOf).findings).toEqual([]);
  });

  test('ends when Redis has lost changes', () => {
    const log = logOf(['b0', ...ofA], []);
    log.end();
    for (const id of ofA) log.change(id, { state: 'processing' });
    expect(checkTurns(log.turns, tenantOf).findings).toEqual([]);
  });
});
