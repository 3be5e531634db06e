import { cpSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './setup/project-root.mjs';

/*
 * After tsc: what it does not emit but the build needs at the same place, which is the page's
 * assets and the set-up modules that the start script shares with `setup.mjs`.
 */
for (const folder of ['src', join('scripts', 'setup')]) {
  cpSync(join(projectRoot, folder), join(projectRoot, 'dist', folder), { recursive: true, filter: isAsset });
}

/** @param {string} path */
function isAsset(path) {
  return statSync(path).isDirectory() || !/\.m?ts$/.test(path) || path.endsWith(join('client', 'client.d.ts'));
}
