-- KEYS  1 records, 2 records by owner
-- ARGV  1 owner, empty for none
-- Answers how many records there are, how many of them are the owner's, and in how many ms Redis drops the next.
local recordsKey, ownersKey = KEYS[1], KEYS[2]
--- @include "parts/count"
uncountDropped()
local ofOwner = ARGV[1] == '' and 0 or tonumber(redis.call('HGET', ownersKey, ARGV[1]) or '0')
local first = redis.call('ZRANGE', recordsKey, 0, 0, 'WITHSCORES')[2]
return { redis.call('ZCARD', recordsKey), ofOwner, math.floor(first and math.max(0, first - nowMs()) or 0) }
