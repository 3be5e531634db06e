import { stat } from 'node:fs/promises';

/** How often the file is checked. A change takes effect after one to two of these periods. */
const PERIOD_MS = 200;

/**
 * Calls `onChange` after the content of a file has changed. Until the returned function is called, it checks the file
 * every 200 ms, which takes one system call. Events of the file system are not used: editors and Kubernetes replace
 * files by a rename or by a link, and network file systems report nothing. `onChange` is called when two checks in a
 * row see the same file, so that a file that is still being written is not read.
 * @param known the state of the file before it was read, see `stateOf`.
 */
export function watchFile(path: string, known: string, onChange: () => void): () => void {
  let reported = known;
  let seen = known;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const check = async (): Promise<void> => {
    const now = await stateOf(path);
    if (isClosed) return;
    const isSettled = now === seen;
    seen = now;
    if (isSettled && now !== reported) {
      reported = now;
      onChange();
    }
    timer = setTimeout(() => void check(), PERIOD_MS);
    timer.unref();
  };
  void check();
  return () => {
    isClosed = true;
    clearTimeout(timer);
  };
}

/** Returns a text that changes with the file. It follows links. Never rejects. */
export async function stateOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join();
  } catch (error) {
    return String(error);
  }
}
