import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installPackage, probeMachine, type Manager } from '../../../scripts/setup/system-packages.mjs';
import { fakeCommands, type FakeCommands } from '../../helpers/fake-commands.ts';

/** The package managers are fake and only record their arguments. */
describe('system packages', () => {
  let commands: FakeCommands;

  beforeEach(() => {
    commands = fakeCommands();
    // A user without rights would need sudo, so it is fake too.
    fake('sudo', 'shift; exec "$@"');
  });

  afterEach(() => commands.remove());

  const inside = (name: string): string => join(commands.directory, name);
  const fake = (name: string, script: string): string =>
    commands.add(name, `echo "${name} $*" >> ${inside('calls')}\n${script}`);

  function calls(): string[] {
    const file = inside('calls');
    if (!existsSync(file)) return [];
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('sudo'));
  }

  const installWith = (manager: Manager, names: readonly string[], mayInstall = true): Promise<boolean> =>
    installPackage({ managers: ['dpkg', manager], mayInstall }, { [manager]: names });

  test('are installed without questions', async () => {
    fake('apt-get', '[ "$DEBIAN_FRONTEND" = noninteractive ]');
    expect(await installWith('apt-get', ['redis-tools'])).toBe(true);
    expect(calls()).toEqual(['apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends redis-tools']);
  });

  test('are searched again after an update of the package lists', async () => {
    fake('apt-get', `[ "$1" = update ] && touch ${inside('lists')}; [ -e ${inside('lists')} ]`);
    expect(await installWith('apt-get', ['redis-tools'])).toBe(true);
    expect(calls().map((line) => line.split(' ').at(-1))).toEqual(['redis-tools', 'update', 'redis-tools']);
  });

  test('are tried under one name after the other', async () => {
    fake('dnf', '[ "$3" = redis ]');
    expect(await installWith('dnf', ['valkey', 'redis'])).toBe(true);
    expect(calls()).toEqual(['dnf install -y valkey', 'dnf install -y redis']);
  });

  test('are not installed without the rights that the manager needs', async () => {
    fake('apk', 'true');
    fake('brew', 'true');
    expect(await installWith('apk', ['redis'], false)).toBe(false);
    expect(await installWith('brew', ['redis'], false)).toBe(true);
    expect(calls()).toEqual(['brew install redis']);
  });

  test('are reported as impossible to install without a manager', async () => {
    fake('apk', 'exit 1');
    expect(await installWith('apk', ['redis'])).toBe(false);
    expect(await installWith('apk', [])).toBe(false);
  });

  test('probeMachine finds the managers on PATH', async () => {
    fake('brew', 'true');
    const { managers, mayInstall } = await probeMachine();
    expect(managers).toContain('brew');
    expect(mayInstall).toBe(true);
  });
});
