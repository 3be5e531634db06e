-- Removes every trace of an upload.
-- KEYS: as in the part `record`.
-- ARGV  1 id, 2 key of its public id
local waitingKey, byAddressKey, recordsKey, ownersKey = KEYS[2], KEYS[5], KEYS[8], KEYS[9]
--- @include "../../queue/scripts/parts/waiting"
--- @include "parts/count"
local was = redis.call('HMGET', KEYS[1], 'address', 'owner')
leaveQueue(ARGV[1], was[1])
uncount(ARGV[1], was[2] or '')
redis.call('ZREM', KEYS[4], ARGV[1])
return redis.call('DEL', KEYS[1], ARGV[2])
