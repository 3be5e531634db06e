import { join, relative, resolve } from 'node:path';
import { projectRoot } from '../../scripts/setup/project-root.mjs';
import { TEST_BUILD } from '../../scripts/setup/build.mjs';

/**
 * Where the compiled form of a source file lies, for a process that runs it. The set-up of `npm run bench` and
 * `npm run chaos` and Jest's global set-up bring the build up to date before anything starts.
 * @param source relative to the top of the repository, or absolute; a compiled file stays as it is.
 */
export function compiled(source: string): string {
  const path = resolve(projectRoot, source).replace(/\.ts$/, '.js');
  if (path.startsWith(join(TEST_BUILD.directory, '/'))) return path;
  return join(TEST_BUILD.directory, relative(projectRoot, path));
}
