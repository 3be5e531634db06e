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

describe('AuditTrail', () => {
  test('accepts uploads that end once, and that start again only if they may', () => {
    const failed = change(3, { state: 'failed' });
    const restarted = [
      change(4, { publicId: 'b', state: 'receiving', percent: 0 }),
      change(5, { publicId: 'b', state: 'queued', percent: 30 }),
    ];
    expect(offencesOf([change(1, { state: 'receiving', percent: 0 }), change(2), failed, ...restarted])).toEqual([]);
  });

  test('accepts an ended upload that starts again with a small file, which is stored first', () => {
    const stored = change(4, { publicId: 'b', state: 'queued', percent: 30 });
    expect(offencesOf([change(3, { state: 'failed' }), stored])).toEqual([]);
    expect(offencesOf([change(3, { state: 'completed' }), stored])).toHaveLength(1);
  });

  test('does not count the deletion of a final upload as a second end', () => {
    const completed = change(2, { state: 'completed', percent: 100 });
    expect(offencesOf([change(1), completed, { ...completed, version: 3, deleted: true }])).toEqual([]);
  });

  test('accepts the high versions of ends that webhooks report', () => {
    const failed = change(1.2e10, { state: 'failed' });
    const again = change(1e11 + 1, { publicId: 'b', state: 'receiving', percent: 0 });
    const completed = change(1.2e11, { publicId: 'b', state: 'completed', percent: 100 });
    const deleted = { ...completed, version: completed.version + 3, deleted: true };
    expect(offencesOf([change(1), failed, again, completed, deleted])).toEqual([]);
  });

  test.each<[string, AuditedChange, AuditedChange]>([
    ['missing', change(1), change(3, { state: 'failed' })],
    ['missing', change(1), change(2e10)],
    ['missing', change(1), change(3)],
    ['repeated', change(2), change(2)],
    ['attempt went back', change(1, { attempt: 2 }), change(2)],
    ['percent went back', change(1), change(2, { percent: 39 })],
    ['changed after its end', change(1, { state: 'cancelled' }), change(2, { state: 'cancelled' })],
    ['changed after its end', change(1, { state: 'cancelled' }), change(2, { state: 'failed', deleted: true })],
    [
      'changed after it was deleted',
      change(1, { state: 'completed', deleted: true }),
      change(2, { state: 'completed', deleted: true }),
    ],
    ['started again', change(1, { state: 'completed' }), change(2, { publicId: 'b', state: 'receiving' })],
    ['started again', change(1, { state: 'failed', deleted: true }), change(2, { publicId: 'b', state: 'receiving' })],
    ['started again', change(1), change(2, { publicId: 'b', state: 'receiving' })],
  ])('reports what was %s', (words, first, second) => {
    expect(offencesOf([first, second])).toEqual([expect.stringContaining(words)]);
  });

  test('accepts a stored upload that is restored over a failure', () => {
    const failed = change(3, { state: 'failed', attempt: 0 });
    expect(offencesOf([failed, change(4, { state: 'queued', attempt: 1.7e9 })])).toEqual([]);
    const retried = change(4, { state: 'queued', attempt: 1 });
    expect(offencesOf([failed, retried])).toEqual([expect.stringContaining('changed after its end')]);
  });

  test('keeps uploads apart, and compares nothing with changes that it had to forget', () => {
    const trail = new AuditTrail();
    trail.change('one', change(5));
    trail.change('other', change(1));
    trail.forget();
    trail.change('one', change(2));
    expect(trail.offences).toEqual([]);
    expect([trail.changes, trail.last('one')?.version, trail.last('other')]).toEqual([3, 2, undefined]);
  });
});
