import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Shell scripts that are first on PATH until `remove()`. */
export interface FakeCommands {
  readonly directory: string;
  /** Adds a command that runs `script` with /bin/sh. Returns its full path. */
  add(name: string, script: string): string;
  remove(): void;
}

/** Sets PATH to the fake commands and the tools of the system. Call `remove` at the end of the test. */
export function fakeCommands(): FakeCommands {
  const directory = mkdtempSync(join(tmpdir(), 'du-commands-'));
  const systemPath = process.env['PATH'];
  process.env['PATH'] = `${directory}:/usr/bin:/bin`;
  return {
    directory,
    add: (name, script) => {
      const path = join(directory, name);
      writeFileSync(path, `#!/bin/sh\n${script}\n`);
      chmodSync(path, 0o755);
      return path;
    },
    remove: () => {
      process.env['PATH'] = systemPath;
      rmSync(directory, { recursive: true });
    },
  };
}
