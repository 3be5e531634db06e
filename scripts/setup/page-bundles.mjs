import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';
import { projectRoot } from './project-root.mjs';

/** Deno finds the types of the client with this comment. */
const CLIENT_BANNER = '// @ts-self-types="./client.d.ts"';

const BUNDLE_OPTIONS = /** @type {const} */ ({
  bundle: true,
  format: 'esm',
  target: 'es2022',
  platform: 'browser',
  minify: true,
  legalComments: 'none',
  charset: 'utf8',
  logLevel: 'silent',
  absWorkingDir: projectRoot,
});

/** Entries of scripts and style sheets below `src`, by the name of the output. */
const BUNDLES = {
  'page.js': 'page/page.ts',
  'words-german.js': 'page/words-german.ts',
  'words-spanish.js': 'page/words-spanish.ts',
  'words-chinese.js': 'page/words-chinese.ts',
  'style.css': 'page/style.css',
  'client.js': 'client/upload-client.ts',
  'operators.js': 'page/operators/operators.ts',
  'operators.css': 'page/operators/operators.css',
};

/** Files that are served unchanged. */
const COPIES = {
  'index.html': 'page/index.html',
  'client.d.ts': 'client/client.d.ts',
  'operators.html': 'page/operators/operators.html',
};

/**
 * Keeps the texts of other languages out of the page. It loads them when somebody needs them.
 *
 * @type {import('esbuild').Plugin}
 */
const WORDS_ON_DEMAND = {
  name: 'words-on-demand',
  setup(build) {
    build.onResolve({ filter: /\/words-\w+\.ts$/ }, ({ path, kind }) =>
      kind === 'dynamic-import' ? { path: path.replace(/\.ts$/, '.js'), external: true } : undefined,
    );
  },
};

/**
 * Makes the files that `src/page/assets.ts` serves, each of them plain, as brotli and as gzip.
 *
 * @param {string} directory created if missing
 * @param {typeof import('esbuild').build} build
 */
export async function bundlePage(directory, build) {
  mkdirSync(directory, { recursive: true });
  await Promise.all(
    Object.entries(BUNDLES).map(async ([name, entry]) => {
      const banner = name === 'client.js' ? { js: CLIENT_BANNER } : {};
      await build({
        ...BUNDLE_OPTIONS,
        banner,
        plugins: [WORDS_ON_DEMAND],
        entryPoints: [source(entry)],
        outfile: join(directory, name),
      });
    }),
  );
  for (const [name, entry] of Object.entries(COPIES)) writeFileSync(join(directory, name), readFileSync(source(entry)));
  await Promise.all([...Object.keys(BUNDLES), ...Object.keys(COPIES)].map((name) => compress(join(directory, name))));
}

/** @param {string} path */
async function compress(path) {
  const body = readFileSync(path);
  const [br, gzipped] = await Promise.all([promisify(brotliCompress)(body), promisify(gzip)(body, { level: 9 })]);
  writeFileSync(`${path}.br`, br);
  writeFileSync(`${path}.gz`, gzipped);
}

/** @param {string} entry */
function source(entry) {
  return join(projectRoot, 'src', entry);
}
