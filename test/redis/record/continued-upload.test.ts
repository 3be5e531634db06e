import { afterEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { openCaller, type Caller } from '../../../src/access/caller.ts';
import { ServiceError } from '../../../src/errors.ts';
import type { ChangeOutcome } from '../../../src/record/change-outcome.ts';
import { newUpload, STORED, uploadIn, verdict, type RecordSpace } from '../../helpers/record-space.ts';
import { useRecords } from '../../helpers/use-records.ts';
import { callerOf, sumOfRecords, ticketFor, useOf } from '../../helpers/tenant-use.ts';

const WITHOUT_TICKET: Caller = { ...openCaller, refusal: new ServiceError('ticket_required', 'No ticket.') };
const TICKET = { ...ticketFor(1), maxFileBytes: 9000, types: ['image/*'], preset: 'avatar', options: { a: 1 } };

let space: RecordSpace;

afterEach(async () => {
  const { waiting, receiving, storedBytes } = await useOf(space, 'acme');
  expect({ waiting, receiving, storedBytes }).toEqual(await sumOfRecords(space, 'acme'));
});
useRecords('test', (opened) => (space = opened));

async function continueWithoutTicket(id: string): Promise<ChangeOutcome> {
  return await space.records.open(newUpload({ id, caller: WITHOUT_TICKET, options: { b: 2 } }));
}

describe('a request without a ticket', () => {
  test('takes over a receiving upload, and changes neither its owner nor its limits', async () => {
    const id = randomUUID();
    const caller = callerOf('acme', { waiting: 5 }, { ticket: TICKET });
    expect(verdict(await space.records.open(newUpload({ id, caller, options: TICKET.options })))).toBe('applied');
    const outcome = await continueWithoutTicket(id);
    expect(outcome.applied).toBe(true);
    expect(outcome.record).toMatchObject({
      tenant: 'acme',
      limits: { waiting: 5 },
      allowed: { maxFileBytes: 9000, types: ['image/*'], preset: 'avatar' },
      options: TICKET.options,
    });
    // The upload still counts for its ticket, which allows only one.
    expect(verdict(await space.records.open(newUpload({ caller })))).toBe('ticket');
    const fencingToken = outcome.record?.fencingToken ?? '';
    expect(verdict(await space.records.enqueue(id, fencingToken, STORED))).toBe('applied');
  });

  test('does not create an upload', async () => {
    const id = randomUUID();
    expect(verdict(await continueWithoutTicket(id))).toBe('refused');
    expect(await space.records.read(id)).toBeUndefined();
  });

  test.each(['failed', 'cancelled'] as const)('does not start a %s upload again', async (state) => {
    const { id } = await uploadIn(space.records, state, { caller: callerOf('acme', {}) });
    expect(verdict(await continueWithoutTicket(id))).toBe('refused');
    expect((await space.records.read(id))?.record.state).toBe(state);
  });

  test.each(['queued', 'completed'] as const)('gets the record of a %s upload', async (state) => {
    const { id } = await uploadIn(space.records, state, { caller: callerOf('acme', {}) });
    const outcome = await continueWithoutTicket(id);
    expect([outcome.applied, outcome.record?.state, outcome.record?.tenant]).toEqual([false, state, 'acme']);
  });
});

describe('the limits of a ticket', () => {
  test('are those of the request that starts an upload again', async () => {
    const caller = callerOf('acme', {}, { ticket: { ...TICKET, maxFiles: undefined } });
    const { id } = await uploadIn(space.records, 'failed', { caller });
    await space.records.open(newUpload({ id, caller: callerOf('acme', {}) }));
    expect((await space.records.read(id))?.record.allowed).toBeNull();
  });
});
