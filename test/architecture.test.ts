import { describe, expect, test } from '@jest/globals';
import { builtinModules } from 'node:module';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import {
  COMPUTED_TARGET,
  filesBelow,
  freeNames,
  isNode,
  nameOf,
  readSources,
  walk,
  type SourceFile,
  type SyntaxNode,
} from './helpers/source-tree.ts';

const src = readSources('src');
const workers = readSources('workers');
const all = [...src, ...workers];

/** The only places that may import each third-party package. */
const HOMES: Readonly<Record<string, readonly string[]>> = {
  '@aws-sdk/client-s3': ['src/storage/'],
  '@aws-sdk/s3-request-presigner': ['src/storage/s3-direct.ts'],
  '@koa/cors': ['src/http/cors.ts'],
  '@koa/router': ['src/server/app.ts', 'src/server/management.ts'],
  '@tus/server': ['src/roads/tus/'],
  '@uppy/core': ['src/integrations/uppy/'],
  '@opentelemetry/api': ['src/telemetry/open-telemetry.ts'],
  bullmq: [
    'src/queue/bull-queues.ts',
    'workers/roads/import-worker.ts',
    'workers/permit-loop.ts',
    'workers/webhooks/webhook-deliveries.ts',
  ],
  busboy: ['src/intake/multipart.ts'],
  chardet: ['workers/table/text/guess-encoding.ts'],
  'file-type': ['src/intake/sniff.ts'],
  ioredis: ['src/queue/redis-client.ts', 'src/compat/cluster-connect.ts', 'src/compat/sentinel-connector.ts'],
  jose: ['src/access/'],
  koa: ['src/jobs/job-results.ts', 'src/server/app.ts', 'src/server/management.ts'],
  'libheif-js': ['workers/picture/heic/libheif.ts', 'workers/picture/heic/heic-reader.ts'],
  pino: ['src/telemetry/log.ts'],
  'prom-client': ['src/telemetry/metric-set.ts'],
  'rate-limiter-flexible': ['src/operators/operator-guard.ts', 'src/intake/creation-rate.ts'],
  react: ['src/integrations/react/'],
  sax: ['workers/table/workbook/read-xml.ts'],
  sharp: ['workers/picture/libvips.ts'],
  thumbhash: ['workers/picture/thumbhash.ts', 'src/page/thumbnail.ts'],
  yauzl: ['workers/table/workbook/archive.ts', 'workers/table/workbook/open-zip.ts'],
  zod: ['src/access/', 'src/settings/', 'src/kinds/', 'src/wire/', 'src/storage/manifest.ts', 'src/storage/marker.ts'],
};

/** Packages whose types may be imported in a whole folder. Only their values have one home. */
const TYPES_EVERYWHERE: Readonly<Record<string, readonly string[]>> = {
  koa: ['src/access/', 'src/deferred/', 'src/http/', 'src/jobs/', 'src/operators/', 'src/routes/'],
  '@koa/router': ['src/routes/'],
};

/** The folders and modules that API processes and workers share. */
const SHARED_WITH_WORKERS =
  /^src\/(errors\.ts|wire\/documents\.ts|server\/shutdown\.ts|access\/access\.ts|(delivery|kinds|record|settings|storage|telemetry)\/.+|roads\/(direct|import)\/.+|http\/pinned-lookup\.ts|version\.ts|http\/public-address\.ts|queue\/(contract|connection|installation-id|redis-check|redis-clock|redis-client|redis-place|upload-queue|upload-sets)\.ts)$/;

/** The modules that package.json names and that only export from others. */
const PACKAGE_ENTRIES = ['src/deferred/deferred.ts', 'workers/deferred-uploads.ts'];

/** Names that exist in browsers and not in Node. */
const DOM_GLOBALS: ReadonlySet<string> = new Set([
  'window',
  'document',
  'navigator',
  'location',
  'history',
  'localStorage',
  'sessionStorage',
  'customElements',
  'alert',
  'requestAnimationFrame',
  'HTMLElement',
  'Element',
  'XMLHttpRequest',
  'EventSource',
  'MutationObserver',
  'Image',
  'FileReader',
]);

const FUNCTIONS: ReadonlySet<string> = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'ClassMethod',
  'PrivateMethod',
  'Constructor',
  'MethodProperty',
]);

function isBuiltIn(target: string): boolean {
  return target.startsWith('node:') && builtinModules.includes(target.slice('node:'.length));
}

function below(files: readonly SourceFile[], folder: string): SourceFile[] {
  return files.filter((file) => file.path.startsWith(folder));
}

/** Returns the package of an import such as `@scope/name/part`. */
function packageOf(target: string): string {
  return /^(@[^/]+\/)?[^/]+/.exec(target)?.[0] ?? target;
}

/** Returns all imports that break a rule, as `path → target`. */
function offences(
  files: readonly SourceFile[],
  isAllowed: (target: string, file: SourceFile, isTypeOnly: boolean) => boolean,
): string[] {
  return files.flatMap((file) =>
    file.imports
      .filter(({ target, isTypeOnly }) => !isAllowed(target, file, isTypeOnly))
      .map(({ target }) => `${file.path} → ${target}`),
  );
}

/** The only module that imports names from the settings. */
const IMPORTS_OF_SETTINGS = 'src/kinds/own/import-from.ts';

function hasItsHome(target: string, file: SourceFile, isTypeOnly: boolean): boolean {
  if (target === COMPUTED_TARGET) return file.path === IMPORTS_OF_SETTINGS;
  if (isBuiltIn(target) || /^(src|workers)\//.test(target)) return true;
  const places = [...(HOMES[packageOf(target)] ?? []), ...(isTypeOnly ? (TYPES_EVERYWHERE[target] ?? []) : [])];
  return places.some((place) => file.path.startsWith(place));
}

describe('the import rules', () => {
  test('let deferred/ import only node built-ins, itself and the types of Koa', () => {
    const mayDeferred = (target: string, _: SourceFile, isTypeOnly: boolean) =>
      isBuiltIn(target) || target.startsWith('src/deferred/') || (target === 'koa' && isTypeOnly);
    expect(below(src, 'src/deferred/').length).toBeGreaterThan(5);
    expect(offences(below(src, 'src/deferred/'), mayDeferred)).toEqual([]);
  });

  test('let the module of wire types import only types, because the browser bundle contains it', () => {
    const documents = src.filter((file) => file.path === 'src/wire/documents.ts');
    expect(documents).toHaveLength(1);
    expect(offences(documents, (_target, _file, isTypeOnly) => isTypeOnly)).toEqual([]);
  });

  test('forbid src/ to import workers/, tests or scripts', () => {
    expect(offences(src, (target) => !/^(workers|test|scripts)\//.test(target))).toEqual([]);
  });

  test('let workers/ import only the shared parts of src/', () => {
    expect(workers.length).toBeGreaterThan(5);
    const isShared = (target: string) => !/^(src|test|scripts)\//.test(target) || SHARED_WITH_WORKERS.test(target);
    const own = workers.filter(({ path }) => !PACKAGE_ENTRIES.includes(path));
    expect(offences(own, isShared)).toEqual([]);
  });

  test('let browser code import only browser code, the wire types and its small packages', () => {
    const files = [...below(src, 'src/client/'), ...below(src, 'src/page/')].filter(
      (file) => file.path !== 'src/page/assets.ts',
    );
    expect(
      offences(
        files,
        (target) =>
          /^src\/((client|page)\/|wire\/(documents|receive-share)\.ts$)/.test(target) || target === 'thumbhash',
      ),
    ).toEqual([]);
  });

  test('let each integration import only itself, the client and its framework', () => {
    const files = below(src, 'src/integrations/');
    expect(files.length).toBeGreaterThan(3);
    const isOwn = (target: string, { path }: SourceFile) =>
      target.startsWith(path.split('/').slice(0, 3).join('/')) ||
      target.startsWith('src/client/') ||
      target === 'src/wire/receive-share.ts' ||
      (HOMES[packageOf(target)] ?? []).some((place) => path.startsWith(place));
    expect(offences(files, isOwn)).toEqual([]);
  });

  test('give each third-party package one home', () => {
    expect(offences(all, hasItsHome)).toEqual([]);
  });

  test('require that every dependency is used at its home', () => {
    const { dependencies, peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      dependencies: Record<string, string>;
      peerDependencies: Record<string, string>;
    };
    const used = new Set(all.flatMap((file) => file.imports.map(({ target }) => packageOf(target))));
    expect(Object.keys(dependencies).filter((name) => !used.has(name))).toEqual([]);
    expect(Object.keys(HOMES).filter((name) => !(name in { ...dependencies, ...peerDependencies }))).toEqual([]);
  });

  test('forbid cycles', () => {
    const targets = new Map(all.map((file) => [file.path, file.imports.map(({ target }) => target)]));
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
      if (trail.includes(path) || done.has(path)) return;
      for (const target of targets.get(path) ?? []) visit(target, [...trail, path]);
      done.add(path);
    };
    for (const path of targets.keys()) visit(path, []);
    expect(circles).toEqual([]);
  });

  test('let only settings/config.ts read the environment', () => {
    const readers = all.filter((file) => readsEnvironment(file.body)).map((file) => file.path);
    expect(readers).toEqual(['src/settings/config.ts']);
  });

  test('forbid DOM globals in the upload client and its integrations', () => {
    const files = src.filter((file) => /^src\/(client|integrations)\//.test(file.path));
    expect(files.length).toBeGreaterThan(3);
    expect(
      files.flatMap((file) =>
        [...freeNames(file.body)].filter((name) => DOM_GLOBALS.has(name)).map((name) => `${file.path}: ${name}`),
      ),
    ).toEqual([]);
  });
});

/** The modules with which a test starts a Redis or a process of the service. */
const STARTS_PROCESSES =
  /helpers\/((shared-)?redis|service|supervisor-process|bus-process|intake-space)[^/']*'|\bopenRecordSpace\b/;

test('unit tests start neither a Redis nor a process of the service', () => {
  const starters = filesBelow('test/unit').filter((path) => STARTS_PROCESSES.test(readFileSync(path, 'utf8')));
  expect(starters).toEqual([]);
});

describe('the code', () => {
  test('has only named exports, and no barrels except the entry points of the package', () => {
    const isBarrel = (file: SourceFile) =>
      file.body.length > 0 && file.body.every((node) => node.type !== 'ImportDeclaration' && isNode(node['source']));
    const breaks = (file: SourceFile) =>
      file.body.some((node) => /^(ExportDefault|ExportAll|TsExportAssignment)/.test(node.type));
    const offenders = all.filter(
      (file) =>
        (isBarrel(file) && !PACKAGE_ENTRIES.includes(file.path)) || breaks(file) || basename(file.path) === 'index.ts',
    );
    expect(offenders.map((file) => file.path)).toEqual([]);
  });

  test('has a doc comment for every export', () => {
    const bare = all.flatMap((file) =>
      file.body
        .filter((node) => node.type === 'ExportDeclaration' && !isDocumented(file, node))
        .map((node) => `${file.path}: ${nameOf(node)}`),
    );
    expect(bare).toEqual([]);
  });

  test('has at most 300 lines in a file', () => {
    // Declaration files are generated, so nobody reads them from top to bottom.
    const written = all.filter(({ path }) => !path.endsWith('.d.ts'));
    const long = written.map((file) => ({ path: file.path, lines: file.text.trimEnd().split('\n').length }));
    expect(long.filter(({ lines }) => lines > 300)).toEqual([]);
  });

  test('has at most 60 lines in a function', () => {
    const long: string[] = [];
    for (const file of all) {
      walk(file.body, (node) => {
        if (FUNCTIONS.has(node.type) && file.linesOf(node) > 60)
          long.push(`${file.path}: ${nameOf(node)} has ${file.linesOf(node)} lines`);
      });
    }
    expect(long).toEqual([]);
  });

  test('has files and folders named in kebab-case', () => {
    const paths = ['src', 'workers', 'test', 'scripts']
      .flatMap(filesBelow)
      .filter((path) => !path.endsWith('/README.md'));
    expect(paths.length).toBeGreaterThan(100);
    expect(
      paths.filter((path) => !/^([a-z0-9]+(-[a-z0-9]+)*\/)+[a-z0-9]+(-[a-z0-9]+)*(\.(test|d))?\.[a-z]+$/.test(path)),
    ).toEqual([]);
  });
});

function readsEnvironment(body: readonly SyntaxNode[]): boolean {
  let reads = false;
  walk(body, (node) => {
    const { object, property } = node as { object?: SyntaxNode; property?: SyntaxNode };
    const isMember =
      node.type === 'MemberExpression' && object?.['value'] === 'process' && property?.['value'] === 'env';
    const isImport = node.type === 'ImportSpecifier' && (node['local'] as SyntaxNode)['value'] === 'env';
    if (isMember || isImport) reads = true;
  });
  return reads;
}

function isDocumented(file: SourceFile, node: SyntaxNode): boolean {
  const before = file.before(node).trimEnd();
  return before.endsWith('*/') && before.slice(before.lastIndexOf('/*')).startsWith('/**');
}
