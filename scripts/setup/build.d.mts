/** One build of the project. Paths of files are relative to the top of the repository. */
export interface BuildTarget {
  /** The absolute path of the output. */
  readonly directory: string;
  readonly compilerConfig: string;
  /** Folders that are compiled. */
  readonly sources: readonly string[];
  /** Folders among them that are not compiled. */
  readonly without: readonly string[];
  /** True if other users of the machine cannot read the output. */
  readonly isPrivate: boolean;
  /** True if its processes load bundles of the packages. They then start in half the time. */
  readonly bundlesPackages: boolean;
  /** True if it has scripts of API and worker processes for `test/helpers/load-cached.cjs`. */
  readonly cachesCode: boolean;
}

export const SERVICE_BUILD: BuildTarget;

export const BENCH_BUILD: BuildTarget;

export const TEST_BUILD: BuildTarget;

export function ensureBuild(target: BuildTarget, say: (line: string) => void): Promise<void>;

export function rebuild(target: BuildTarget, say: (line: string) => void): Promise<void>;

export function isUsable(target: BuildTarget): boolean;
