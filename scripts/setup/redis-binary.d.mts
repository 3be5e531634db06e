/** How to spawn the server: `env` comes on top of the inherited environment. */
export interface RedisBinary {
  readonly command: string;
  /** The name to call it by, where that is not the command's own. */
  readonly argv0?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly version: string;
}

export function findRedisServer(): Promise<RedisBinary | undefined>;

export function ensureRedisServer(say: (line: string) => void): Promise<RedisBinary>;
