import { WAITING_FUNCTIONS } from '../queue/waiting-script.ts';
import { COUNT_FUNCTIONS } from './record-count.ts';

/**
 * Removes every trace of an upload.
 *
 * KEYS  1 record, 2 its public id, 3 waiting set, 4 waiting by address, 5 due set, 6 records, 7 records by owner
 * ARGV  1 id
 */
export const FORGET_SCRIPT = `
local waitingKey, byAddressKey, recordsKey, ownersKey = KEYS[3], KEYS[4], KEYS[6], KEYS[7]
${WAITING_FUNCTIONS}${COUNT_FUNCTIONS}
local was = redis.call('HMGET', KEYS[1], 'address', 'owner')
leaveQueue(ARGV[1], was[1])
uncount(ARGV[1], was[2] or '')
redis.call('ZREM', KEYS[5], ARGV[1])
return redis.call('DEL', KEYS[1], KEYS[2])
`;
