import { projectRoot } from './project-root.mjs';
import { SetupError } from './setup-error.mjs';

/** Keeps every import, and gives the imports of our own modules the names of the compiled files. */
const separateModules = {
  name: 'separate-modules',
  /** @param {import('esbuild').PluginBuild} build */
  setup(build) {
    build.onResolve({ filter: /./ }, ({ kind, path }) =>
      kind === 'entry-point' ? undefined : { path: path.replace(/^(\..*)\.ts$/, '$1.js'), external: true },
    );
  },
};

/**
 * Compiles the TypeScript modules among `files`, each to a module of its own. Does not check types. Throws SetupError
 * with the errors of the compiler.
 *
 * @param {readonly string[]} files relative to the top of the repository
 * @param {string} directory
 * @param {typeof import('esbuild').build} build
 */
export async function compileModules(files, directory, build) {
  const entryPoints = files.filter((path) => /(?<!\.d)\.ts$/.test(path));
  try {
    await build({
      entryPoints,
      outdir: directory,
      outbase: projectRoot,
      absWorkingDir: projectRoot,
      // Only bundles have their imports resolved.
      bundle: true,
      plugins: [separateModules],
      platform: 'node',
      format: 'esm',
      target: 'node20',
      charset: 'utf8',
      tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
      logLevel: 'silent',
    });
  } catch (error) {
    throw new SetupError(
      `the sources do not compile:\n${error instanceof Error ? error.message.trim() : String(error)}`,
    );
  }
}
