-- Removes every trace of an upload.
-- KEYS: as in the part `record`.
-- ARGV  1 id, 2 key of its public id
local waitingKey, byAddressKey, recordsKey, ownersKey, tenantPrefix, fairPrefix = KEYS[2], KEYS[5], unpack(KEYS, 8)
--- @include "../../queue/scripts/parts/waiting"
--- @include "parts/count"
--- @include "parts/use"
local names = {
  'address', 'owner', 'ticket', 'tenant', 'state', 'stored', 'received', 'total', 'uncounted', 'expiresAt',
  'permit', 'kind', 'lane', 'weight',
}
local was = {}
for index, value in ipairs(redis.call('HMGET', KEYS[1], unpack(names))) do was[names[index]] = value or nil end
leaveQueue(ARGV[1], was, was.address)
forgetPermit(was.permit)
uncount(ARGV[1], was.owner or '')
if was.tenant then changeUse(ARGV[1], was, {}) end
if was.ticket then redis.call('SREM', ticketKey(was.ticket), ARGV[1]) end
redis.call('ZREM', KEYS[4], ARGV[1])
return redis.call('DEL', KEYS[1], ARGV[2], KEYS[13] .. ARGV[1])
