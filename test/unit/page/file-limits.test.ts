import { describe, expect, test } from '@jest/globals';
import { type FileLimits, refusalOf } from '../../../src/page/file-limits.ts';
import { createLineModel, isWorthRetrying } from '../../../src/page/line-model.ts';
import { describeLine } from '../../../src/page/line-text.ts';
import { english } from '../../../src/page/words-english.ts';
import { problem } from '../client/documents.ts';

const LIMITS: FileLimits = {
  maxFileBytes: 100_000_000,
  retentionMs: 86_400_000,
  types: [
    { type: 'image/jpeg', kind: 'picture', extensions: ['jpg', 'jpeg'] },
    { type: 'text/csv', kind: 'table', extensions: ['csv'] },
  ],
};

function codeOf(name: string, type = '', size = 1000): string | undefined {
  return refusalOf({ name, type, size }, LIMITS)?.code;
}

describe('limits of files', () => {
  test('refuse a file above the size, and name both sizes', () => {
    expect([codeOf('a.jpg', '', 100_000_000), codeOf('a.jpg', '', 117_000_000)]).toEqual([undefined, 'file_too_large']);
    const model = createLineModel({ name: 'a.jpg', sizeBytes: 117_000_000 }, new File(['x'], 'a.jpg'));
    const refused = { ...model, maxBytes: 100_000_000, problem: problem('file_too_large', 413, '') };
    expect(describeLine(refused, english).stage).toBe('Too large: 117 MB. The limit is 100 MB.');
  });

  test('refuse an empty file', () => {
    expect(codeOf('a.jpg', 'image/jpeg', 0)).toBe('empty_file');
  });

  test('refuse a file only if neither its name nor its type is accepted', () => {
    expect([codeOf('a.JPG'), codeOf('a.bin', 'image/jpeg'), codeOf('no extension')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect([codeOf('a.mp3'), codeOf('a.mp3', 'audio/mpeg'), codeOf('song', 'audio/mpeg')]).toEqual(
      Array.from({ length: 3 }, () => 'unsupported_name'),
    );
  });

  test('accept every name if a kind of file has no usual names', () => {
    const open = { ...LIMITS, types: [...LIMITS.types, { type: 'application/x-scan', kind: 'scan', extensions: [] }] };
    expect(refusalOf({ name: 'a.mp3', size: 1 }, open)).toBeNull();
  });

  test('of a proxy are explained, and a body that is too large is not sent again', () => {
    const line = createLineModel({ name: 'a.jpg', sizeBytes: 5 }, new File(['x'], 'a.jpg'));
    const failed = (status: number) => ({
      ...line,
      problem: problem(`http_${status}`, status, 'The server answered.'),
    });
    for (const status of [413, 502, 504])
      expect(describeLine(failed(status), english).stage).not.toBe('The server answered.');
    expect([413, 502, 504].map((status) => isWorthRetrying(failed(status)))).toEqual([false, true, true]);
  });
});
