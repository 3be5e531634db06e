/** How to start the server. `env` is added to the inherited environment. */
export interface RedisBinary {
  readonly command: string;
  /** The name under which to start it, if that is not the name of the command. */
  readonly argv0?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly version: string;
}

export function findRedisServer(): Promise<RedisBinary | undefined>;

export function ensureRedisServer(say: (line: string) => void): Promise<RedisBinary>;
