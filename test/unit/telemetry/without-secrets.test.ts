import { describe, expect, test } from '@jest/globals';
import { newApiKey } from '../../../scripts/access-keys.mjs';
import { redacted, withoutSecrets } from '../../../src/telemetry/without-secrets.ts';

const ID = '0f3e5f9c-1f0c-4a52-9d07-3c7a4f2f4d10';
const TICKET = 'eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiJkZWZlcnJlZC11cGxvYWRzIn0.x-_Zx';

describe('a text without secrets', () => {
  test.each([
    [`/data/${ID}/original`, '/data/:id/original'],
    [`/uploads/${ID.toUpperCase()}`, '/uploads/:id'],
    [`key ${newApiKey('acme-2').key}!`, 'key :secret!'],
    [`/uploads?ticket=${TICKET}&x=1`, '/uploads?ticket=:secret&x=1'],
    [`Bearer ${TICKET.slice(0, -5)}`, 'Bearer :secret'],
    ['whsec_AAECAwQFBgcICQ==', ':secret'],
    ['/uploads/photo.jpg', '/uploads/photo.jpg'],
  ])('turns %j into %j', (text, redacted) => {
    expect(withoutSecrets(text)).toBe(redacted);
  });
});

test('a value for the log has no secret in any of its members', () => {
  const { key } = newApiKey('acme');
  const error = { message: `no /data/${ID}`, command: { name: 'hset', args: [ID, key, Buffer.from(ID), 7] } };
  expect(redacted(error)).toEqual({
    message: 'no /data/:id',
    command: { name: 'hset', args: [':id', ':secret', '[object Uint8Array]', 7] },
  });
});
