-- KEYS  1 records, 2 records by owner
-- ARGV  1 owner or empty
-- Returns the number of records, the number of the owner's records, and the ms until Redis drops the next one.
local recordsKey, ownersKey = KEYS[1], KEYS[2]
--- @include "parts/count"
uncountDropped()
local ofOwner = ARGV[1] == '' and 0 or tonumber(redis.call('HGET', ownersKey, ARGV[1]) or '0')
local first = redis.call('ZRANGE', recordsKey, 0, 0, 'WITHSCORES')[2]
return { redis.call('ZCARD', recordsKey), ofOwner, math.floor(first and math.max(0, first - nowMs()) or 0) }
