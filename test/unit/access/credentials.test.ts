import { describe, expect, test } from '@jest/globals';
import type { Context } from 'koa';
import { noKeysInAddresses } from '../../../src/access/credentials.ts';
import { ServiceError } from '../../../src/errors.ts';
import { newApiKey } from '../../helpers/access-file.ts';

const KEY = newApiKey('acme');
const middleware = noKeysInAddresses();

function ask(querystring: string): unknown {
  return middleware({ querystring } as Context, async () => undefined);
}

describe('an API key in an address', () => {
  test.each(['key=', 'ticket=', 'access_token=', 'a=1&api_key=', ''])('is refused after "%s" (400)', (before) => {
    const refused = () => ask(`${before}${KEY}`);
    expect(refused).toThrow(ServiceError);
    expect(refused).toThrow(expect.objectContaining({ code: 'bad_request', status: 400 }));
    expect(refused).toThrow('in the header Authorization: Bearer');
    expect(refused).not.toThrow(KEY);
  });

  test.each(['', 'ticket=eyJhbGciOiJIUzI1NiJ9.e30.c2ln', 'timeout=1000', 'q=du_acme_short'])(
    'is not found in "%s"',
    async (querystring) => {
      await expect(ask(querystring)).resolves.toBeUndefined();
    },
  );
});
