/** How many times slower this machine is than the reference machine of the deadlines. jest.config.mjs sets it. */
const PATIENCE = Math.max(1, Number(process.env['TEST_PATIENCE'] ?? 1));

/**
 * Returns a deadline of a test, scaled to the machine. `ms` is generous for a quiet machine: a test that passes never
 * waits for it. Never pass a setting of the product through here unless the test only needs it to be "long".
 */
export function patienceMs(ms: number): number {
  return Math.ceil(ms * PATIENCE);
}
