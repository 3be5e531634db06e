import { afterEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { allowedHosts, type AllowedHostsOptions } from '../../../src/access/allowed-hosts.ts';
import { problemResponses } from '../../../src/http/problem.ts';
import { silentLog } from '../../helpers/record-space.ts';
import { serve, type Served } from '../http/serve.ts';

let served: Served | undefined;

afterEach(async () => {
  await served?.close();
});

async function answerTo(options: AllowedHostsOptions, ...lines: string[]): Promise<string> {
  served = await serve(problemResponses(silentLog), allowedHosts(options), (ctx) => void (ctx.body = 'answered'));
  const socket = await served.connect();
  socket.write([...lines, 'Connection: close', '', ''].join('\r\n'));
  const answer = await text(socket);
  if (!socket.destroyed) await once(socket, 'close');
  await served.close();
  return `${answer.slice(9, 12)} ${/"code":"(\w+)"/.exec(answer)?.[1] ?? ''}`.trim();
}

async function statusFor(host: string, options: AllowedHostsOptions): Promise<string> {
  return await answerTo(options, 'GET / HTTP/1.1', `Host: ${host}`);
}

describe('a server on a loopback address', () => {
  const options = { host: '127.0.0.1', allowed: ['uploads.example', '2001:db8::7'] };

  test.each([
    'localhost',
    'LocalHost:3000',
    'localhost.',
    'du.localhost:3000',
    '127.0.0.1:3000',
    '127.8.9.10',
    '[::1]:3000',
    'uploads.example',
    'UPLOADS.example.:8443',
    '[2001:db8::7]:80',
  ])('answers for %s', async (host) => {
    expect(await statusFor(host, options)).toBe('200');
  });

  test.each([
    'rebind.test:3000',
    'evil.uploads.example',
    'uploads.example.evil.test',
    'localhost.evil.test',
    'notlocalhost',
    '127.0.0.1.evil.test',
    'localhost@evil.test',
    'evil.test/localhost',
    '10.0.0.1',
    '',
  ])('rejects a request for %j, as DNS rebinding sends it (421)', async (host) => {
    expect(await statusFor(host, options)).toBe('421 misdirected_host');
  });

  test.each([
    ['http://localhost/', 'rebind.test', '200'],
    ['http://rebind.test/', 'localhost', '421 misdirected_host'],
    ['HTTP://rebind.test:80', 'localhost', '421 misdirected_host'],
    ['http://localhost@rebind.test/', 'localhost', '421 misdirected_host'],
  ])('reads the host of a target in absolute form (%s), and ignores Host (%s)', async (target, host, status) => {
    expect(await answerTo(options, `GET ${target} HTTP/1.1`, `Host: ${host}`)).toBe(status);
  });

  test('takes a request without Host, which only HTTP/1.0 allows', async () => {
    expect(await answerTo(options, 'GET / HTTP/1.0')).toBe('200');
  });
});

test('a server on another address answers for that one, for loopback names and for no other name', async () => {
  const options = { host: '192.0.2.7', allowed: ['uploads.example'] };
  expect(await statusFor('192.0.2.7:3000', options)).toBe('200');
  expect(await statusFor('localhost', options)).toBe('200');
  expect(await statusFor('192.0.2.8:3000', options)).toBe('421 misdirected_host');
});

test('* allows every name', async () => {
  expect(await statusFor('rebind.test', { host: '0.0.0.0', allowed: ['*'] })).toBe('200');
});
