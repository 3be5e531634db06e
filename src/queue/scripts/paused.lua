-- KEYS  1 waiting set
-- Answers how many of the uploads wait for a time that is still to come.
--- @include "parts/time"
return redis.call('ZCOUNT', KEYS[1], string.format('(%.3f', nowMs()), '+inf')
