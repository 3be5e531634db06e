import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { projectRoot } from '../../scripts/setup/project-root.mjs';
import { TEST_BUILD } from '../../scripts/setup/build.mjs';

const top = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
/** The build that contains this module, or the one of the tests if Jest has loaded the source. */
const build = top === projectRoot ? TEST_BUILD.directory : top;

/**
 * Returns the path of the compiled form of a source file, for a process that runs it. Jest's global set-up and the
 * set-up of `npm run bench` and `npm run chaos` bring their builds up to date before anything starts.
 * @param source relative to the top of the repository, or absolute; a compiled file stays as it is
 */
export function compiled(source: string): string {
  const path = resolve(projectRoot, source).replace(/\.ts$/, '.js');
  if (path.startsWith(join(build, '/'))) return path;
  return join(build, relative(projectRoot, path));
}

/**
 * Like `compiled`, but returns the script of a process that keeps its compiled code, if the build has one. It needs
 * less CPU time to start.
 */
export function compiledForStart(source: string): string {
  const path = compiled(source);
  const script = join(build, 'cached', relative(build, path).replace(/\.js$/, '.cjs'));
  return existsSync(script) ? script : path;
}
