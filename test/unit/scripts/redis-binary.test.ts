import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { findRedisServer } from '../../../scripts/setup/redis-binary.mjs';
import { fakeCommands, type FakeCommands } from '../../helpers/fake-commands.ts';

let commands: FakeCommands;

beforeEach(() => {
  commands = fakeCommands();
});

afterEach(() => commands.remove());

test('a redis-server on PATH is used', async () => {
  const command = commands.add('redis-server', 'echo "Redis server v=7.2.4 sha=0 bits=64"');
  expect(await findRedisServer()).toEqual({ command, version: '7.2.4' });
});

test('a valkey-server is used if the redis-server is too old', async () => {
  commands.add('redis-server', 'echo "Redis server v=5.0.14 sha=0 bits=64"');
  const command = commands.add('valkey-server', 'echo "Valkey server v=8.1.3 sha=0 bits=64"');
  expect(await findRedisServer()).toEqual({ command, version: '8.1.3' });
});

test('a redis-server that does not run is skipped', async () => {
  commands.add('redis-server', 'echo "error while loading shared libraries" >&2; exit 127');
  const command = commands.add('valkey-server', 'echo "Valkey server v=8.1.3 sha=0 bits=64"');
  expect(await findRedisServer()).toEqual({ command, version: '8.1.3' });
});
