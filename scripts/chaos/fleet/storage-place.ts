import { mkdir, mkdtemp, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A storage directory that can go away like a network disk. Its path then leads to a device, and every call fails. */
export class StoragePlace {
  /** The real directory of the files, also while the storage is away. */
  readonly directory: string;
  /** The path for the setting `STORAGE`. */
  readonly path: string;
  readonly #base: string;

  private constructor(base: string) {
    this.#base = base;
    this.directory = join(base, 'files');
    this.path = join(base, 'storage');
  }

  /** Creates an empty directory in the temporary folder. The caller removes it with `remove`. */
  static async create(): Promise<StoragePlace> {
    const place = new StoragePlace(await mkdtemp(join(tmpdir(), 'du-chaos-')));
    await mkdir(place.directory);
    await place.#leadTo(place.directory);
    return place;
  }

  /** Makes the storage go away: every new access fails with `ENOTDIR`, and open files stay open. */
  async goAway(): Promise<void> {
    await this.#leadTo('/dev/null');
  }

  async comeBack(): Promise<void> {
    await this.#leadTo(this.directory);
  }

  async remove(): Promise<void> {
    await rm(this.#base, { recursive: true, force: true });
  }

  /** Renames a new link over the old one, so that no access finds the path missing. */
  async #leadTo(target: string): Promise<void> {
    const link = join(this.#base, 'next');
    await symlink(target, link);
    await rename(link, this.path);
  }
}
