-- KEYS  1 due set
-- ARGV  1 maximum number of ids
-- Returns the time by Redis' clock, and the ids of due uploads, the longest due first.
--- @include "parts/time"
local now = string.format('%d', nowMs())
return { now, redis.call('ZRANGEBYSCORE', KEYS[1], 0, now, 'LIMIT', 0, ARGV[1]) }
