import { readFile, stat } from 'node:fs/promises';
import { ConfigError, type Config } from '../settings/config.ts';
import type { Logger } from '../telemetry/log.ts';
import { AccessFileError, MAX_ACCESS_FILE_BYTES, parseAccessFile } from './access-file.ts';
import type { JsonObject } from './caller.ts';
import { stateOf, watchFile } from './file-watch.ts';
import { Tenants } from './tenants.ts';

/** The tenants in force, and whether keys are needed. */
export interface Access {
  readonly mode: 'open' | 'keys';
  /** Changes when the access file changes, so read it for each request. Undefined in open mode. */
  readonly tenants: Tenants | undefined;
  /** Stops watching the file. */
  close(): void;
}

/** Access without keys. */
export const openAccess: Access = { mode: 'open', tenants: undefined, close: () => undefined };

interface AccessParts {
  log: Logger;
  /** Returns whether the options of a preset are valid for a file kind. Default: every object is. */
  isPreset?: (options: JsonObject) => boolean;
  /** True if the process belongs to another application, which may use SIGHUP for itself. */
  isEmbedded?: boolean;
}

/**
 * Loads the access file, and loads it again when it changes and on SIGHUP. Rejects with `ConfigError` if it cannot be
 * used at the start. Later, a file with a mistake leaves the previous one in force, with one line in the log.
 */
export async function startAccess(
  { access, accessFile: path }: Pick<Config, 'access' | 'accessFile'>,
  { log, isPreset, isEmbedded = false }: AccessParts,
): Promise<Access> {
  if (access === 'open' || path === undefined) return openAccess;
  const load = async (): Promise<Tenants> => await Tenants.from(parseAccessFile(await readText(path), isPreset));
  const known = await stateOf(path);
  const first = await load().catch((error: unknown) => {
    throw new ConfigError(`wrong settings: ACCESS_FILE ${reasonOf(error)}`);
  });
  return new WatchedAccess({ path, known, first, load, log, isEmbedded });
}

interface WatchedParts {
  path: string;
  /** The state of the file before `first` was read from it. */
  known: string;
  first: Tenants;
  load: () => Promise<Tenants>;
  log: Logger;
  isEmbedded: boolean;
}

class WatchedAccess implements Access {
  readonly mode = 'keys';
  #tenants: Tenants;
  readonly #load: () => Promise<Tenants>;
  readonly #log: Logger;
  readonly #endWatch: () => void;
  #isLoading = false;
  #isChangedAgain = false;

  constructor({ path, known, first, load, log, isEmbedded }: WatchedParts) {
    this.#tenants = first;
    this.#load = load;
    this.#log = log;
    const endWatch = watchFile(path, known, this.#reload);
    if (!isEmbedded) process.on('SIGHUP', this.#reload);
    this.#endWatch = () => {
      endWatch();
      process.off('SIGHUP', this.#reload);
    };
  }

  get tenants(): Tenants {
    return this.#tenants;
  }

  close(): void {
    this.#endWatch();
  }

  /** One load at a time. A change during a load causes another one. */
  readonly #reload = (): void => {
    this.#isChangedAgain = true;
    if (!this.#isLoading) void this.#loadUntilCurrent();
  };

  async #loadUntilCurrent(): Promise<void> {
    this.#isLoading = true;
    while (this.#isChangedAgain) {
      this.#isChangedAgain = false;
      try {
        this.#tenants = await this.#load();
        this.#log.info({ tenants: [...this.#tenants.all].length }, 'access file loaded');
      } catch (error) {
        this.#log.error({ reason: reasonOf(error) }, 'access file not loaded, the previous one stays in force');
      }
    }
    this.#isLoading = false;
  }
}

async function readText(path: string): Promise<string> {
  const { size } = await stat(path);
  if (size > MAX_ACCESS_FILE_BYTES) throw new AccessFileError(`has more than ${MAX_ACCESS_FILE_BYTES} bytes`);
  return await readFile(path, 'utf8');
}

/** Returns the mistake, or the code of a file system error such as ENOENT. Contains no value of the file. */
function reasonOf(error: unknown): string {
  if (error instanceof AccessFileError) return error.message;
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  return `cannot be read (${code})`;
}
