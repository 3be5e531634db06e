-- Compares the number of permits of each kind with the number of uploads that have a place. A permit that has begun an
-- upload does not count.
-- KEYS  1 prefix of the keys of the order
-- ARGV  1 prefix of record keys, 2 BullMQ's prefix, 3 name of the queue of the kind `other`; all with the same hash tag
-- Returns kinds and numbers of missing permits.
local fairPrefix = KEYS[1]
--- @include "parts/waiting"
local reply = {}
for _, kind in ipairs(redis.call('SMEMBERS', kindsKey())) do
  endPauses(kind, ARGV[1])
  local queue = ARGV[2] .. ':' .. ARGV[3] .. (kind == 'other' and '' or '-' .. kind) .. ':'
  local permits = -redis.call('HLEN', permitsKey(kind))
  for _, list in ipairs({ 'wait', 'active', 'paused' }) do permits = permits + redis.call('LLEN', queue .. list) end
  for _, set in ipairs({ 'delayed', 'prioritized' }) do permits = permits + redis.call('ZCARD', queue .. set) end
  local waiting = redis.call('ZCARD', orderKey(kind))
  local spare = math.max(0, permits - waiting)
  if tonumber(redis.call('HGET', spareKey(), kind) or '0') > spare then redis.call('HSET', spareKey(), kind, spare) end
  if permits < waiting then
    reply[#reply + 1] = kind
    reply[#reply + 1] = waiting - permits
  end
end
return reply
