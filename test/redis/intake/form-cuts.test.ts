import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { UploadRecord } from '../../../src/record/record-fields.ts';
import { originalKey, uploadPrefix } from '../../../src/storage/keys.ts';
import { receiveMultipart, type IntakeLimits } from '../../../src/intake/multipart-intake.ts';
import { codeOf, fakeRequest, FORM_HEADERS, formBody, jpegBytes, wholeRequest } from '../../helpers/fake-request.ts';
import { type IntakeSpace, useIntake, readsOf, SCOPE } from '../../helpers/intake-space.ts';

let space: IntakeSpace;

useIntake('file', (opened) => (space = opened));

const LIMITS: IntakeLimits = {
  maxFiles: 3,
  maxFields: 2,
  maxFieldBytes: 16,
  maxRequestBytes: 10_000,
  maxFileBytes: 1000,
};
// The file contains bytes that look like a boundary.
const CONTENT = Buffer.concat([jpegBytes(40), Buffer.from('\r\n------boundar\r\n')]);

// The form also has a file that is rejected.
const BODY = formBody(
  { name: 'options', bytes: '{}' },
  { name: 'a', fileName: 'a.jpg', bytes: CONTENT },
  { name: 'b', fileName: 'b', bytes: 'w' },
);

/** The step has no factor in common with the 23 places. */
const STEP = 3;

/** Number of forms at the same time. Most of the time is spent waiting for the disk. */
const AT_ONCE = 32;

async function take(request: IncomingMessage): Promise<UploadRecord[]> {
  const reads = await readsOf(
    space.parts,
    await receiveMultipart(space.parts, SCOPE, { request, limits: LIMITS, signal: new AbortController().signal }),
  );
  return reads.map(({ record }) => record);
}

/** Sends a form, returns its outcome, and removes everything that it has stored. */
async function outcomeOf(...chunks: readonly Buffer[]): Promise<unknown> {
  const records = await take(wholeRequest(FORM_HEADERS, ...chunks));
  const files = records
    .filter(({ stored }) => stored)
    .map(({ id, fencingToken }) => readFileSync(join(space.directory, originalKey(id, fencingToken)), 'latin1'));
  for (const { id, publicId } of records) {
    await space.records.forget(id, publicId);
    await space.storage.removeAll(uploadPrefix(id));
  }
  return [records.map(({ fileName, state, sha256, error }) => [fileName, state, sha256, error?.code]), files];
}

/** Calls `check` for each byte of the body up to `end`, or for every `step`th byte, and returns the results. */
async function atEveryByte<T>(end: number, check: (at: number) => Promise<T>, step = 1): Promise<T[]> {
  const places = Array.from({ length: Math.ceil(end / step) }, (_, index) => index * step);
  const found: T[] = [];
  while (places.length > 0) found.push(...(await Promise.all(places.splice(0, AT_ONCE).map(check))));
  return found;
}

async function left(): Promise<unknown> {
  return [
    space.files(),
    await space.connection.keys(`${space.keys.bullPrefix}:[rp]*`),
    await space.connection.zrange(space.keys.due, '0', '-1'),
  ];
}

describe('a form', () => {
  test('has the same result if it is cut in two at any byte, or comes in any other chunks', async () => {
    const whole = await outcomeOf(BODY);
    expect(whole).toEqual([
      [
        ['a.jpg', 'queued', expect.any(String), undefined],
        ['b', 'failed', null, 'unsupported_media_type'],
      ],
      [CONTENT.toString('latin1')],
    ]);
    const inTwo = await atEveryByte(BODY.length, (at) => outcomeOf(BODY.subarray(0, at), BODY.subarray(at)));
    expect(inTwo.filter((outcome) => !isDeepStrictEqual(outcome, inTwo[0]))).toEqual([]);
    expect(inTwo[0]).toEqual(whole);
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: BODY.length - 1 }));
    const inChunks = async (at: number[]) => {
      const ends = [...at.sort((a, b) => a - b), BODY.length];
      return await outcomeOf(...ends.map((end, index) => BODY.subarray(ends[index - 1] ?? 0, end)));
    };
    await fc.assert(
      fc.asyncProperty(cuts, async (at) => expect(await inChunks(at)).toEqual(whole)),
      { numRuns: 15 },
    );
    expect(await left()).toEqual([[], [], []]);
  });

  test('that ends too early at any byte is a 400, and leaves nothing', async () => {
    // The line break behind the last boundary may be missing.
    const codes = await atEveryByte(BODY.length - 2, (end) => codeOf(outcomeOf(BODY.subarray(0, end))));
    expect(new Set(codes)).toEqual(new Set(['body_cut_short']));
    expect(await left()).toEqual([[], [], []]);
  });

  test.each([
    ['ends', 'end', 'body_cut_short'],
    ['breaks off', 'breakOff', 'upload_interrupted'],
  ] as const)('that %s while its files are being stored leaves nothing', async (_how, stop, code) => {
    // Each of 23 places in the order of the event loop is combined with each part of the body.
    const stoppedAt = async (end: number) => {
      const sender = fakeRequest(FORM_HEADERS);
      const taking = codeOf(take(sender.request));
      sender.send(BODY.subarray(0, end));
      for (let turns = end % 23; turns > 0; turns -= 1) await turn();
      sender[stop]();
      return await taking;
    };
    expect(new Set(await atEveryByte(BODY.length - 2, stoppedAt, STEP))).toEqual(new Set([code]));
    expect(await left()).toEqual([[], [], []]);
  });
});
