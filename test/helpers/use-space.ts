import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';

/**
 * Opens a space before each test, or once for the file, and closes it afterwards. `use` gets it after it was opened. An
 * `afterEach` that needs it must stand before this call.
 */
export function useSpace<Space extends { close(): Promise<unknown> }>(
  per: 'test' | 'file',
  open: () => Promise<Space>,
  use: (space: Space) => void,
): void {
  const [before, after] = per === 'test' ? [beforeEach, afterEach] : [beforeAll, afterAll];
  let space: Space | undefined;
  before(async () => {
    space = await open();
    use(space);
  });
  after(async () => {
    const opened = space;
    space = undefined;
    await opened?.close();
  });
}
