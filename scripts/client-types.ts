import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from './setup/project-root.mjs';
import { wireTypes } from './wire-types.ts';

const ENTRY = 'src/client/upload-client';

/** The module of the wire types. They are inferred from schemas, so `wireTypes` writes them out. */
const WIRE = 'src/wire/documents';

const HEADING = `/*
 * Types of the browser client, the module at /client.js of every deferred-uploads service.
 * Made by \`npm run generate\` from the sources; changes belong there.
 */
`;

/** One declaration of a module, with its doc comment. */
interface Declaration {
  readonly name: string;
  readonly text: string;
}

/**
 * Returns the types of the browser client as one file without imports: the exports of its module, and the types that
 * they use. Runs the compiler, and leaves nothing behind.
 */
export async function clientTypes(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'du-types-'));
  try {
    await compile(directory);
    const entry = join(directory, `${ENTRY}.d.ts`);
    const modules = await readModules(entry);
    const passedOn = namesPassedOn(await readFile(entry, 'utf8'));
    const wire = [...wireTypes()].map(([name, text]) => ({ name, text }));
    return [HEADING, ...reachable([...modules, wire], passedOn).map(({ text }) => text)].join('\n');
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function compile(directory: string): Promise<void> {
  const flags = [
    '--ignoreConfig',
    '--declaration',
    '--emitDeclarationOnly',
    '--outDir',
    directory,
    '--rootDir',
    '.',
    '--strict',
    '--target',
    'es2023',
    '--module',
    'nodenext',
    '--lib',
    'es2023,dom,dom.iterable',
    '--rewriteRelativeImportExtensions',
    '--types',
    'node',
  ];
  const compiler = join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  await promisify(execFile)(process.execPath, [compiler, ...flags, `${ENTRY}.ts`], { cwd: projectRoot });
}

/** Reads a module and all modules that it imports, directly or not. The module itself comes first. */
async function readModules(entry: string): Promise<Declaration[][]> {
  const modules = new Map<string, Declaration[]>();
  const read = async (path: string): Promise<void> => {
    if (modules.has(path) || path.endsWith(`${WIRE}.d.ts`)) return;
    const text = await readFile(path, 'utf8');
    modules.set(path, declarationsIn(text));
    for (const [, target = ''] of text.matchAll(/from '(\.[^']+)\.ts'/g))
      await read(resolve(dirname(path), `${target}.d.ts`));
  };
  await read(entry);
  return [...modules.values()];
}

function declarationsIn(text: string): Declaration[] {
  const declarations: Declaration[] = [];
  let lines: string[] = [];
  for (const line of text.split('\n')) {
    lines.push(line);
    // Only the last line of a declaration is a `}`, or begins in the first column and ends in a semicolon.
    if (line !== '}' && !/^(?! |\/| \*).*;$/.test(line)) continue;
    // Text above the comment of a declaration describes its module.
    const whole = lines.join('\n').replace(/^[^]*\*\/\n(?=\/\*\*)/, '');
    lines = [];
    const name = /^(?:export )?(?:declare )?(?:interface|type|class|function|const) (\w+)/m.exec(whole)?.[1];
    if (name === undefined) continue;
    declarations.push({
      name,
      text: `${whole.replace(/^(export )?(?=(declare )?(interface|type|class|function|const) )/m, 'export ')}\n`,
    });
  }
  return declarations;
}

/** Returns the names that the entry exports from other modules. */
function namesPassedOn(entry: string): string[] {
  return [...entry.matchAll(/^export (?:type )?\{ ([^}]*) \} from /gm)].flatMap(([, names = '']) => names.split(', '));
}

/** Sorts the declarations in reading order: the entry with all that it uses, then the rest of its exports. */
function reachable([entry = [], ...others]: readonly Declaration[][], passedOn: readonly string[]): Declaration[] {
  const known = new Map<string, Declaration>();
  for (const declaration of [entry, ...others].flat()) {
    if (known.has(declaration.name)) throw new Error(`two declarations of the client are called ${declaration.name}`);
    known.set(declaration.name, declaration);
  }
  const taken = new Set<Declaration>();
  const take = (declaration: Declaration): void => {
    if (taken.has(declaration)) return;
    taken.add(declaration);
    for (const name of namesIn(declaration.text)) {
      const next = known.get(name);
      if (next) take(next);
    }
  };
  for (const declaration of entry) take(declaration);
  for (const name of passedOn) {
    const declaration = known.get(name);
    if (declaration) take(declaration);
  }
  return [...taken];
}

function namesIn(text: string): string[] {
  return text.replace(/\/\*[^]*?\*\//g, '').match(/\b[A-Z]\w*/g) ?? [];
}
