import { describe, expect, test } from '@jest/globals';
import { AuditTrail, type AuditedChange } from '../../../../scripts/chaos/audit-trail.ts';

const change = (version: number, rest: Partial<AuditedChange> = {}): AuditedChange => ({
  version,
  publicId: 'a',
  percent: 40,
  state: 'processing',
  attempt: 1,
  deleted: false,
  ...rest,
});

function offencesOf(changes: readonly AuditedChange[]): readonly string[] {
  const trail = new AuditTrail();
  for (const one of changes) trail.change('id', one);
  return trail.offences;
}

describe('the trail of all changes', () => {
  test('is content with lives that end once, and begin anew where they may', () => {
    const failed = change(3, { state: 'failed' });
    const anew = [
      change(4, { publicId: 'b', state: 'receiving', percent: 0 }),
      change(5, { publicId: 'b', state: 'queued', percent: 30 }),
    ];
    expect(offencesOf([change(1, { state: 'receiving', percent: 0 }), change(2), failed, ...anew])).toEqual([]);
  });

  test('takes the removal of a finished upload for no other end', () => {
    const completed = change(2, { state: 'completed', percent: 100 });
    expect(offencesOf([change(1), completed, { ...completed, version: 3, deleted: true }])).toEqual([]);
  });

  test.each<[string, AuditedChange, AuditedChange]>([
    ['left out', change(1), change(3)],
    ['told twice', change(2), change(2)],
    ['attempt went back', change(1, { attempt: 2 }), change(2)],
    ['percent went back', change(1), change(2, { percent: 39 })],
    ['changed after its end', change(1, { state: 'cancelled' }), change(2, { state: 'cancelled' })],
    ['changed after its end', change(1, { state: 'cancelled' }), change(2, { state: 'failed', deleted: true })],
    [
      'changed after it was deleted',
      change(1, { state: 'completed', deleted: true }),
      change(2, { state: 'completed', deleted: true }),
    ],
    ['began anew', change(1, { state: 'completed' }), change(2, { publicId: 'b', state: 'receiving' })],
    ['began anew', change(1, { state: 'failed', deleted: true }), change(2, { publicId: 'b', state: 'receiving' })],
    ['began anew', change(1), change(2, { publicId: 'b', state: 'receiving' })],
  ])('says what was %s', (words, first, second) => {
    expect(offencesOf([first, second])).toEqual([expect.stringContaining(words)]);
  });

  test('keeps uploads apart, and compares nothing with what it was told to forget', () => {
    const trail = new AuditTrail();
    trail.change('one', change(5));
    trail.change('other', change(1));
    trail.forget();
    trail.change('one', change(2));
    expect(trail.offences).toEqual([]);
    expect([trail.changes, trail.last('one')?.version, trail.last('other')]).toEqual([3, 2, undefined]);
  });
});
