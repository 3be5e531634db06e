import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { projectRoot } from './project-root.mjs';

/** The first modules of processes, by the names of their bundles. */
const ENTRIES = {
  api: 'src/server/main',
  worker: 'workers/main',
  start: 'scripts/start',
  isolated: 'workers/isolation/main',
  'isolated-module': 'workers/own/isolated-main',
};

/** The folder of all bundles. It is below the build, so that one rule finds the files beside a module. */
const FOLDER = 'bundled';

/** Keeps the packages out, and gives each module the URL that it has when it is compiled to a file of its own. */
const ownModules = {
  name: 'own-modules',
  /** @param {import('esbuild').PluginBuild} build */
  setup(build) {
    build.onResolve({ filter: /^[@a-z]/ }, ({ kind, path }) =>
      kind === 'entry-point' ? undefined : { path, external: true },
    );
    build.onLoad({ filter: /\.m?[jt]s$/ }, ({ path }) => {
      const place = relative(projectRoot, path).split(sep).join('/').replace(/\.ts$/, '.js');
      const url = `new URL(${JSON.stringify(`../${place}`)}, import.meta.url).href`;
      const contents = readFileSync(path, 'utf8').replaceAll('import.meta.url', url);
      return { contents, loader: path.endsWith('.ts') ? 'ts' : 'js' };
    });
  },
};

/**
 * The first modules of processes that are bundled, relative to the top of the repository.
 *
 * @returns {string[]}
 */
export function bundledProcesses() {
  return Object.values(ENTRIES).map((entry) => `${entry}.ts`);
}

/**
 * Replaces the compiled entries of processes below `directory` by bundles of all their modules. Node loads some files
 * faster than some hundred. The modules stay there for processes that load only some of them.
 *
 * @param {string} directory
 * @param {typeof import('esbuild').build} build
 */
export async function bundleProcesses(directory, build) {
  await build({
    entryPoints: Object.fromEntries(
      Object.entries(ENTRIES).map(([name, entry]) => [name, join(projectRoot, `${entry}.ts`)]),
    ),
    outdir: join(directory, FOLDER),
    absWorkingDir: projectRoot,
    bundle: true,
    splitting: true,
    plugins: [ownModules],
    platform: 'node',
    format: 'esm',
    target: 'node20',
    charset: 'utf8',
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    logLevel: 'silent',
  });
  for (const [name, entry] of Object.entries(ENTRIES)) {
    const file = join(directory, `${entry}.js`);
    const bundle = relative(dirname(file), join(directory, FOLDER, `${name}.js`));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `import ${JSON.stringify(bundle.split(sep).join('/'))};\n`);
  }
}
