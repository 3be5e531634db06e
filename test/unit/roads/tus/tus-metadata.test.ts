import { expect, test } from '@jest/globals';
import { createKinds } from '../../../../src/kinds/kinds.ts';
import {
  fileNameIn,
  keptMetadata,
  optionsIn,
  plainMetadata,
  uploadIdIn,
} from '../../../../src/roads/tus/tus-metadata.ts';
import { tusError } from '../../../../src/roads/tus/tus-errors.ts';
import { codeOf } from '../../../helpers/fake-request.ts';

test.each([
  [{ filename: 'a.jpg', name: 'b.jpg' }, 'a.jpg'],
  [{ name: '../b.jpg' }, 'b.jpg'],
  [{ filename: null }, 'file'],
  [{}, 'file'],
])('the metadata %j name the file %s', (metadata, name) => {
  expect(fileNameIn(metadata)).toBe(name);
});

test.each([
  ['filename YS5wbmc=, filetype aW1hZ2UvcG5n', 'filename YS5wbmc=,filetype aW1hZ2UvcG5n'],
  ['filename YS5wbmc=,', 'filename YS5wbmc='],
  ['filename  YS5wbmc= ,confidential', 'filename YS5wbmc=,confidential'],
  ['filetype ,filename YS5wbmc=', 'filetype,filename YS5wbmc='],
  ['filename YWIucG5n,name YS5wbmc', 'filename YWIucG5n,name YS5wbmc='],
  ['filename 5YaZ55yfPz8-LnBuZw', 'filename 5YaZ55yfPz8+LnBuZw=='],
  ['a b c', 'a b=== c'],
  ['', undefined],
  ['  ', undefined],
  [', ,', undefined],
])('the Upload-Metadata %j is read as %j', (header, plain) => {
  expect(plainMetadata(header)).toBe(plain);
});

test('the options in the metadata are JSON or missing', async () => {
  expect([
    optionsIn({ options: '{"a":1}' }),
    optionsIn({ options: null }),
    optionsIn({ options: '' }),
    optionsIn({}),
  ]).toEqual([{ a: 1 }, {}, {}, {}]);
  expect(await codeOf((async () => optionsIn({ options: 'a' }))())).toBe('bad_options');
});

test('the upload id in the metadata is a UUID or missing', async () => {
  const uploadId = '0b9c6f2e-3c1d-4f6a-9a57-2f8f5d1c7e10';
  expect([uploadIdIn({ uploadId }), uploadIdIn({ uploadId: null }), uploadIdIn({})]).toEqual([
    uploadId,
    undefined,
    undefined,
  ]);
  expect(await codeOf((async () => uploadIdIn({ uploadId: '../x' }))())).toBe('bad_upload_id');
});

test.each([
  [
    409,
    'Upload-Offset conflict\n',
    'offset_conflict',
    'Upload-Offset is not the offset of the upload. Read the offset with HEAD and continue there.',
  ],
  [400, 'Invalid upload-length\n', 'bad_request', 'Upload-Length must appear once and be a whole number of bytes.'],
  [
    403,
    'Upload-Offset header required\n',
    'bad_request',
    'Upload-Offset must appear once and be a whole number of bytes.',
  ],
  [400, 'Invalid something\n', 'bad_request', 'Invalid something.'],
  [403, '', 'bad_request', 'The request does not follow the tus protocol. Correct it and send it again.'],
  [
    400,
    'Request aborted due to lock acquired',
    'upload_locked',
    'Another request has replaced this one. Retry after the time in Retry-After.',
  ],
  [
    500,
    'Something /with/a/path',
    'internal_error',
    'The server has an internal error. Retry, and report it if it happens again.',
  ],
])('the plain answer %i "%s" of the tus server becomes the problem %s', (status, body, code, detail) => {
  expect(tusError(status, body)).toMatchObject({ code, message: detail });
});

test('1 KB of metadata is kept, with the names that the service uses first', () => {
  const metadata = {
    pad: 'x'.repeat(900),
    note: null,
    filename: 'a'.repeat(200),
    options: '{"gps":true}',
    long: 'x'.repeat(9000),
  };
  expect(keptMetadata(metadata, createKinds())).toEqual({
    note: null,
    filename: metadata.filename,
    options: '{"gps":true}',
  });
});

test('long options are kept if a file kind accepts them, and rejected otherwise', async () => {
  const variants = Array.from({ length: 16 }, (_, index) => ({
    name: `a-variant-with-a-very-long-name-${index}`,
    width: 900,
  }));
  const options = JSON.stringify({ variants });
  expect(keptMetadata({ options: `${options}${' '.repeat(1024)}` }, createKinds())).toEqual({ options });
  const wrong = JSON.stringify({ unknown: 'x'.repeat(2000) });
  expect(await codeOf((async () => keptMetadata({ options: wrong }, createKinds()))())).toBe('bad_options');
});
