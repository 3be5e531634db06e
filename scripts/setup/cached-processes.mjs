import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { projectRoot } from './project-root.mjs';

/** The first modules of the processes that tests start most often. */
const ENTRIES = ['src/server/main', 'workers/main', 'test/helpers/faulty/worker'];

/** These packages load other files, which a bundle would have to contain. */
const NOT_BUNDLED = ['libheif-js', 'sharp'];

/** The folder for these scripts. It is below the build, so that one rule finds the files beside a module. */
const FOLDER = 'cached';

/**
 * Gives each module the URL that it has when it is compiled to a file of its own, and a function that imports computed
 * names, because a script with compiled code cannot. Wraps an entry into a function, because a script has no top-level
 * `await`.
 */
const asScript = {
  name: 'as-script',
  /** @param {import('esbuild').PluginBuild} build */
  setup(build) {
    build.onLoad({ filter: /\.m?[jt]s$/ }, ({ path }) => {
      const place = relative(projectRoot, path).split(sep).join('/');
      if (place.startsWith('node_modules/')) return undefined;
      const name = place.replace(/\.ts$/, '');
      const url = `__urlOf(${JSON.stringify(`${name}.js`)})`;
      const text = readFileSync(path, 'utf8')
        .replaceAll('import.meta.url', url)
        .replaceAll(/\bimport\((?!['"])/g, '__import(');
      const contents = ENTRIES.includes(name) ? inFunction(text) : text;
      return { contents, loader: path.endsWith('.ts') ? 'ts' : 'js' };
    });
  },
};

/**
 * Puts everything after the static imports into a function.
 *
 * @param {string} text
 */
function inFunction(text) {
  return text.replace(/^(?:import .*\n)+/, '$&void (async () => {') + '})();';
}

/**
 * Writes each process of `ENTRIES` as one script with all its packages. `load-cached.cjs` runs it with the compiled
 * code of an earlier run, so the process starts with two thirds of the CPU time.
 *
 * @param {string} directory
 * @param {typeof import('esbuild').build} build
 */
export async function bundleCachedProcesses(directory, build) {
  await build({
    entryPoints: ENTRIES.map((entry) => join(projectRoot, `${entry}.ts`)),
    outdir: join(directory, FOLDER),
    outbase: projectRoot,
    outExtension: { '.js': '.script.js' },
    absWorkingDir: projectRoot,
    bundle: true,
    external: NOT_BUNDLED,
    plugins: [asScript],
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    keepNames: true,
    minifyWhitespace: true,
    lineLimit: 200,
    legalComments: 'none',
    // The parameters are what `load-cached.cjs` passes.
    banner: { js: '(function (require, module, exports, __urlOf, __import) {' },
    footer: { js: '})' },
    logLevel: 'silent',
  });
  for (const entry of ENTRIES) {
    const file = join(directory, FOLDER, `${entry}.cjs`);
    const loader = relative(dirname(file), join(directory, 'test/helpers/load-cached.cjs')).split(sep).join('/');
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `require(${JSON.stringify(loader)}).run(${JSON.stringify(entry)});\n`);
  }
}
