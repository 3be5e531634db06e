import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { listenError } from '../../../src/server/listen-error.ts';
import { ConfigError } from '../../../src/settings/config.ts';

test.each([
  ['192.0.2.1', /^HOST is not an address of this machine/],
  ['no-such-host.invalid', /^HOST is a name that cannot be resolved/],
])('a server that cannot listen on %s names the setting HOST', async (host, line) => {
  const server = createServer().listen(0, host);
  const [error] = (await once(server, 'error')) as unknown[];
  const fault = listenError(error);
  expect(fault).toBeInstanceOf(ConfigError);
  expect(fault?.message).toMatch(line);
});

test.each([
  ['EADDRINUSE', /^PORT is in use/],
  ['EACCES', /^PORT needs a permission/],
])('the error %s of listen names the setting PORT', (code, line) => {
  const error = Object.assign(new Error('listen failed'), { code, syscall: 'listen' });
  expect(listenError(error)?.message).toMatch(line);
});

test('the error of a second address names the settings of that address', () => {
  const error = Object.assign(new Error('listen failed'), { code: 'EADDRINUSE', syscall: 'listen' });
  const names = { host: 'MANAGEMENT_HOST', port: 'MANAGEMENT_PORT' };
  expect(listenError(error, names)?.message).toMatch(/^MANAGEMENT_PORT is in use/);
});

test('another error names no setting', () => {
  expect(listenError(Object.assign(new Error('open failed'), { code: 'EACCES', syscall: 'open' }))).toBeUndefined();
  expect(listenError('EACCES')).toBeUndefined();
});
