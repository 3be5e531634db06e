import { describe, expect, test } from '@jest/globals';
import { refusePartOfFile } from '../../../src/intake/parts-hint.ts';

const refusal = (message: RegExp): unknown =>
  expect.objectContaining({ code: 'bad_request', message: expect.stringMatching(message) });

describe('parameters of clients that send a file in parts', () => {
  test.each(['dztotalchunkcount', 'flowTotalChunks', 'chunks'])(
    'are rejected with both ways out if %s is 2, and accepted if it is 1',
    (name) => {
      expect(() => refusePartOfFile(name, '2')).toThrow(
        refusal(/Turn off chunks .* or .* \/files with the tus protocol/),
      );
      expect(() => refusePartOfFile(name, '1')).not.toThrow();
    },
  );

  test.each(['qqtotalparts', 'resumableTotalChunks'])('are rejected with the hint to tus only if %s is 2', (name) => {
    expect(() => refusePartOfFile(name, '2')).toThrow(refusal(/\. Send the file to \/files with the tus protocol/));
  });

  test('are rejected even for a whole file of Resumable.js, which would send it 100 times more if it got a 202', () => {
    expect(() => refusePartOfFile('resumableTotalChunks', '1')).toThrow(
      refusal(/repeats requests .* \/files with the tus protocol/),
    );
  });

  test.each([
    ['dztotalchunkcount', '0'],
    ['dztotalchunkcount', 'many'],
    ['resumableTotalChunks', ''],
    ['constructor', '2'],
    ['title', '2'],
  ])('do not reject a field %s with the value "%s"', (name, value) => {
    expect(() => refusePartOfFile(name, value)).not.toThrow();
  });
});
