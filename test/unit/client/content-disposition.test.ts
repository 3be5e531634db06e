import { expect, test } from '@jest/globals';
import { contentDisposition } from '../../../src/client/content-disposition.ts';

test('an ASCII name is not changed', () => {
  expect(contentDisposition('IMG 2041.jpg')).toBe('attachment; filename="IMG 2041.jpg"');
});

test.each([
  ['Ελλάδα.png', `attachment; filename="______.png"; filename*=UTF-8''%CE%95%CE%BB%CE%BB%CE%AC%CE%B4%CE%B1.png`],
  ['a"b\\c.jpg', `attachment; filename="a_b_c.jpg"; filename*=UTF-8''a%22b%5Cc.jpg`],
  ['100%.jpg', `attachment; filename="100_.jpg"; filename*=UTF-8''100%25.jpg`],
  ["it's (1)*é.jpg", `attachment; filename="it's (1)*_.jpg"; filename*=UTF-8''it%27s%20%281%29%2A%C3%A9.jpg`],
])('the name %s is transferred exactly', (name, value) => {
  expect(contentDisposition(name)).toBe(value);
});

test('special characters cannot end the header value', () => {
  const value = contentDisposition('a\r\nSet-Cookie: x=1.jpg');
  expect(value).toMatch(/^[\x20-\x7e]+$/);
  expect(value).toContain("filename*=UTF-8''a%0D%0ASet-Cookie");
});

test('half a surrogate pair becomes a replacement character', () => {
  expect(contentDisposition('a\ud800.jpg')).toContain('a%EF%BF%BD.jpg');
});
