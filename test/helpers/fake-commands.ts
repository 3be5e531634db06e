import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Shell scripts that stand first on PATH, until `remove()`. */
export interface FakeCommands {
  readonly directory: string;
  /** `script` is what /bin/sh runs when the command is called. Returns its full path. */
  add(name: string, script: string): string;
  remove(): void;
}

/** PATH holds nothing else but the system's own tools, for the scripts to use. Call `remove` when the test is over. */
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
