-- KEYS  1 waiting set
-- Returns the number of waiting uploads whose next try lies in the future.
--- @include "parts/time"
return redis.call('ZCOUNT', KEYS[1], string.format('(%.3f', nowMs()), '+inf')
