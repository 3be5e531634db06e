-- KEYS  1 due set
-- ARGV  1 how many at most
-- Answers the time by the clock of Redis, and the ids of the uploads that are due, longest due first.
--- @include "parts/time"
local now = string.format('%d', nowMs())
return { now, redis.call('ZRANGEBYSCORE', KEYS[1], 0, now, 'LIMIT', 0, ARGV[1]) }
