import { loadScript } from '../queue/load-script.ts';

/** A transition of records, named like its file in `scripts`. */
export type Transition =
  | 'open'
  | 'accept'
  | 'receive'
  | 'announce-total'
  | 'take-over'
  | 'set-road'
  | 'begin-fetch'
  | 'enqueue'
  | 'reject'
  | 'interrupt'
  | 'recover'
  | 'restore'
  | 'retry'
  | 'begin'
  | 'take'
  | 'advance'
  | 'complete'
  | 'fail'
  | 'requeue'
  | 'cancel'
  | 'delete'
  | 'forget';

const scripts = new Map<Transition, string>();

/** Returns the script of a transition. */
export function scriptOf(transition: Transition): string {
  const known = scripts.get(transition);
  if (known !== undefined) return known;
  const script = loadScript(new URL(`scripts/${transition}.lua`, import.meta.url));
  scripts.set(transition, script);
  return script;
}
