import { describe, expect, test } from '@jest/globals';
import { signatureHeaders } from '../../../src/delivery/signature.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

describe('the signature', () => {
  test('equals that of the published example of Standard Webhooks', () => {
    const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', body: '{"test": 2432232314}' };
    expect(signatureHeaders(message, [SECRET], 1_614_265_330_999)).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  test('has one part for each valid secret', () => {
    const other = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const { 'webhook-signature': signature } = signatureHeaders({ id: 'a', body: '' }, [SECRET, other], 0);
    expect(signature).toMatch(/^v1,[\w+/=]{44} v1,[\w+/=]{44}$/);
  });
});
