import { describe, expect, test } from '@jest/globals';
import { openCaller } from '../../../src/access/caller.ts';
import { CreationRate } from '../../../src/intake/creation-rate.ts';

const from = (address: string, via: 'open' | 'key' | 'ticket' = 'open') => ({
  address,
  caller: { ...openCaller, via },
});

describe('the rate of one client address', () => {
  test('rejects requests above the limit of the minute (429), and says when the minute ends', async () => {
    const rate = new CreationRate(2);
    await rate.require(from('192.0.2.1'));
    await rate.require(from('192.0.2.1', 'ticket'));
    const error: unknown = await rate.require(from('192.0.2.1')).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'too_many_uploads_by_address', status: 429 });
    const { retryAfterMs } = error as { retryAfterMs: number };
    expect(retryAfterMs > 0 && retryAfterMs <= 60_000).toBe(true);
    await rate.require(from('192.0.2.2'));
  });

  test('does not count requests with an API key', async () => {
    const rate = new CreationRate(1);
    for (let sent = 0; sent < 5; sent += 1) await rate.require(from('192.0.2.1', 'key'));
    await rate.require(from('192.0.2.1'));
  });

  test('has no limit with 0', async () => {
    const rate = new CreationRate(0);
    for (let sent = 0; sent < 5; sent += 1) await rate.require(from('192.0.2.1'));
  });
});
