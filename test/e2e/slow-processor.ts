import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../helpers/eventually.ts';
import { isAlive } from '../helpers/is-alive.ts';

/** A file as playwright chooses it. */
export interface ChosenFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

/** A program for PDF files that reports a little progress every 100 ms until it may end. */
export interface SlowProcessor {
  /** Path for `PROCESSORS`. */
  readonly manifest: string;
  /** A new file for the program. Each name has a run of its own. */
  file(name: string): ChosenFile;
  /** Resolves with the process id of the run for the file, when it has begun. */
  started(name: string): Promise<number>;
  /** Resolves when the run for the file has ended, for any reason. */
  ended(name: string): Promise<void>;
  /** Lets all runs end that have begun. */
  finishAll(): Promise<void>;
  /** Lets the run for the file end with a result. */
  finish(name: string): Promise<void>;
  remove(): Promise<void>;
}

/** The last line of the file is the name of its run. */
const PROGRAM = `
run=$(tail -n 1 "$1")
echo $$ > "./$run.pid"
percent=10
while [ ! -e "./$run.go" ]; do
  [ $percent -lt 90 ] && percent=$((percent + 1))
  echo "{\\"fraction\\":0.$percent}"
  sleep 0.1
done
echo '{"result":{"pages":1}}'
`;

/** Creates the program in a new directory. */
export async function createSlowProcessor(): Promise<SlowProcessor> {
  const directory = await mkdtemp(join(tmpdir(), 'du-slow-'));
  const manifest = { name: 'slow', types: ['application/pdf'], command: ['sh', './slow.sh'], timeoutMs: 600_000 };
  await writeFile(join(directory, 'slow.sh'), PROGRAM);
  await writeFile(join(directory, 'slow.json'), JSON.stringify(manifest));

  async function started(name: string): Promise<number> {
    return await eventually(`the run for ${name}`, async () => await pidOf(directory, name));
  }

  async function finishAll(): Promise<void> {
    for (const name of await readdir(directory))
      if (name.endsWith('.pid')) await writeFile(join(directory, name.replace(/\.pid$/, '.go')), '');
  }

  return {
    manifest: join(directory, 'slow.json'),
    file: (name) => ({ name, mimeType: 'application/pdf', buffer: Buffer.from(`%PDF-1.4\n${name}`) }),
    started,
    async ended(name) {
      const pid = await started(name);
      await eventually(`the end of the run for ${name}`, () => !isAlive(pid));
    },
    finish: (name) => writeFile(join(directory, `${name}.go`), ''),
    finishAll,
    async remove() {
      await finishAll();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function pidOf(directory: string, name: string): Promise<number | undefined> {
  const text = await readFile(join(directory, `${name}.pid`), 'utf8').catch(() => '');
  return text.endsWith('\n') ? Number(text) : undefined;
}
