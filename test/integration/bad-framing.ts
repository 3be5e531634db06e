import { beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../helpers/eventually.ts';
import { NEXT_REQUEST, type RawAnswer, type RawConnection } from '../helpers/raw-connection.ts';
import { chunkOf, LAST_CHUNK, METHODS, SENDERS } from '../helpers/raw-senders.ts';
import { intake } from '../helpers/shared-intake.ts';

describe('a request', () => {
  const CHUNKED = 'Transfer-Encoding: chunked\r\n';

  let connection: RawConnection;

  beforeEach(async () => {
    connection = await intake.connect();
  });

  /**
   * Checks the rejection: the answer comes before the client closes, then the connection ends, and a new request is
   * served.
   */
  async function expectRefusal(status: number, code: string): Promise<RawAnswer> {
    const refused = await connection.answer();
    expect(refused).toMatchObject({ status, code, headers: { connection: 'close' } });
    expect(refused.detail).not.toBe('');
    expect(await connection.ended).toBe('end');
    expect((await fetch(`${intake.url}/healthz`)).status).toBe(200);
    return refused;
  }

  describe('with an ambiguous or invalid head', () => {
    const body = `5\r\nabcde\r\n${LAST_CHUNK}${NEXT_REQUEST}`;

    test.each([
      ['a length and chunks', `Content-Length: 5\r\n${CHUNKED}`],
      ['chunks and a length', `${CHUNKED}Content-Length: 5\r\n`],
      ['chunks twice', CHUNKED + CHUNKED],
      ['chunks that are not last', 'Transfer-Encoding: chunked, identity\r\n'],
      ['chunks under another name', 'Transfer-Encoding: xchunked\r\n'],
      ['no chunks', 'Transfer-Encoding: identity\r\n'],
      ['chunks behind a vertical tab', 'Transfer-Encoding: \x0bchunked\r\n'],
      ['chunks in a folded line', 'Transfer-Encoding:\r\n chunked\r\n'],
      ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n'],
      ['the same length twice', 'Content-Length: 5\r\nContent-Length: 5\r\n'],
      ['a list of lengths', 'Content-Length: 5, 5\r\n'],
      ['a negative length', 'Content-Length: -5\r\n'],
      ['a length with a sign', 'Content-Length: +5\r\n'],
      ['a length in hexadecimal', 'Content-Length: 0x5\r\n'],
      ['a length of 23 digits', 'Content-Length: 99999999999999999999999\r\n'],
      ['a blank before the colon', 'Content-Length : 5\r\n'],
      ['a blank in a name', 'X Y: 1\r\nContent-Length: 5\r\n'],
      ['NUL in a value', 'X: a\0b\r\nContent-Length: 5\r\n'],
      ['a bare carriage return', 'X: a\rb\r\nContent-Length: 5\r\n'],
    ])('ends the connection if its head has two meanings: %s', async (_what, headers) => {
      const { head, outcome } = await SENDERS.PUT(intake.url, intake.bytes);
      await connection.send(`${head}${headers}\r\n${body}`);
      await expectRefusal(400, 'bad_request');
      expect(await outcome()).toBe('nothing');
    });

    test.each([
      [
        'lines without carriage return',
        'PUT /uploads/1 HTTP/1.1\nHost: x\nContent-Length: 5\n\nabcde',
        400,
        'bad_request',
      ],
      ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'bad_request'],
      ['a greeting of TLS', '\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03', 400, 'bad_request'],
      ['an unknown method', 'BREW /uploads HTTP/1.1\r\nHost: localhost\r\n\r\n', 400, 'bad_request'],
      ['a tunnel', 'CONNECT x:443 HTTP/1.1\r\nHost: localhost\r\n\r\n', 400, 'bad_request'],
      [
        'thousands of headers',
        `GET / HTTP/1.1\r\nHost: localhost\r\n${'a:b\r\n'.repeat(10_000)}\r\n`,
        431,
        'headers_too_large',
      ],
      [
        'a target of 20,000 characters',
        `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
        431,
        'headers_too_large',
      ],
    ])('ends the connection if its head is invalid: %s', async (_what, sent, status, code) => {
      await connection.send(sent);
      await expectRefusal(status, code);
    });

    test.each([
      ['no host', ''],
      ['two hosts', 'Host: localhost\r\nHost: y\r\n'],
    ])('is rejected if it has %s, and the connection stays open', async (_what, hosts) => {
      await connection.send(`PUT /uploads/1 HTTP/1.1\r\n${hosts}Content-Length: 5\r\n\r\nabcde${NEXT_REQUEST}`);
      expect(await connection.answer()).toMatchObject({
        status: 400,
        code: 'bad_request',
        detail: expect.stringContaining('Host headers') as unknown,
      });
      expect((await connection.answer()).status).toBe(200);
    });

    test('may have 3,000 headers, which are all read', async () => {
      await connection.send(
        `PUT /uploads/1 HTTP/1.1\r\nHost: localhost\r\n${'a:\r\n'.repeat(3000)}Expect: magic\r\n\r\n`,
      );
      expect((await connection.answer()).status).toBe(417);
    });
  });

  describe.each(METHODS)('with the body of a %s', (method) => {
    const begun = async () => await SENDERS[method](intake.url, intake.bytes);
    /** The outcome of a request that broke off after 5000 bytes. */
    const brokenOff = { PUT: 'failed, upload_interrupted', POST: 'nothing', PATCH: 'at 500' }[method];

    test.each([
      ['in one chunk', (body: Buffer) => [chunkOf(body), LAST_CHUNK]],
      [
        'in many chunks',
        (body: Buffer) => [
          chunkOf(body.subarray(0, 1)),
          chunkOf(body.subarray(1, 4000)),
          chunkOf(body.subarray(4000)),
          LAST_CHUNK,
        ],
      ],
      ['with trailers', (body: Buffer) => [chunkOf(body), '0\r\nX-Check: 1\r\nX-More: 2\r\n\r\n']],
      ['with extensions', (body: Buffer) => [chunkOf(body, ';a=b;c="d"'), LAST_CHUNK]],
    ])('is accepted %s', async (_how, framed) => {
      const { head, body } = await begun();
      await connection.send(`${head}${CHUNKED}\r\n`, ...framed(body), NEXT_REQUEST);
      expect((await connection.answer()).status).toBe(method === 'PATCH' ? 204 : 202);
      expect((await connection.answer()).status).toBe(200);
    });

    test.each([
      ['is not a number', 'zz\r\nabc\r\n', 400, 'bad_request'],
      ['is negative', '-5\r\nabcde\r\n', 400, 'bad_request'],
      ['is far too large', 'ffffffffffffffffff\r\nabc\r\n', 400, 'bad_request'],
      ['ends without carriage return', '5\nabcde\n', 400, 'bad_request'],
      ['does not match its bytes', '3\r\nabcde\r\n', 400, 'bad_request'],
      ['is hidden in extensions', `5;${'x'.repeat(40_000)}\r\nabcde\r\n`, 413, 'request_too_large'],
    ])('ends the connection if the size of a chunk %s', async (_what, malformed, status, code) => {
      const { head, body, received, outcome } = await begun();
      await connection.send(`${head}${CHUNKED}\r\n`, chunkOf(body.subarray(0, 5000)));
      await received(5000);
      await connection.send(malformed, 'and so on', NEXT_REQUEST);
      await expectRefusal(status, code);
      connection.close();
      await eventually(brokenOff, async () => (await outcome()).startsWith(brokenOff));
    });

    test('ends the connection if its trailers never end', async () => {
      const { head, body } = await begun();
      await connection.send(
        `${head}${CHUNKED}\r\n`,
        chunkOf(body.subarray(0, 5000)),
        `0\r\n${`X: ${'y'.repeat(1000)}\r\n`.repeat(30)}\r\n`,
      );
      await expectRefusal(431, 'headers_too_large');
    });

    test('ends at its announced length, and further bytes are an invalid request', async () => {
      const { head, body } = await begun();
      await connection.send(`${head}Content-Length: ${body.length}\r\n\r\n`, body, 'surplus', 'and more of it');
      expect(await connection.answer()).toMatchObject({ status: method === 'PATCH' ? 204 : 202 });
      expect(await connection.ended).toBe('end');
    });

    test('is reported as cut short if the body is shorter than its length', async () => {
      const { head, body, received, outcome } = await begun();
      await connection.send(`${head}Content-Length: ${body.length}\r\n\r\n`, body.subarray(0, 5000));
      await received(5000);
      connection.finish();
      await expectRefusal(400, 'body_cut_short');
      await eventually(brokenOff, async () => (await outcome()).startsWith(brokenOff));
    });

    test('is rejected with advice if it has an encoding, and the connection stays open', async () => {
      const { head, body } = await begun();
      for (const encoding of ['Content-Encoding: gzip\r\n', 'Content-Encoding: identity, br\r\n']) {
        await connection.send(`${head}${encoding}Content-Length: ${body.length}\r\n\r\n`, body, NEXT_REQUEST);
        expect(await connection.answer()).toMatchObject({
          status: 415,
          code: 'unsupported_encoding',
          headers: { 'accept-encoding': 'identity' },
        });
        expect((await connection.answer()).status).toBe(200);
      }
      await connection.send(`${head}Transfer-Encoding: gzip, chunked\r\n\r\n`, chunkOf(body), LAST_CHUNK);
      expect(await connection.answer()).toMatchObject({ status: 415, code: 'unsupported_encoding' });
    });
  });
});
