export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly argv0?: string;
  readonly show?: boolean;
}

export function run(
  command: string,
  args: readonly string[],
  options?: RunOptions,
): Promise<{ code: number; output: string }>;

export function inheritedEnvironment(additions?: Readonly<Record<string, string>>): NodeJS.ProcessEnv;

export function findOnPath(...names: string[]): string | undefined;

export function isExecutable(file: string): boolean;
