-- Postpones a due upload that could not be handled: by 15 s, and twice as long with each failure in a row, up to an
-- hour.
-- KEYS  1 due set, 2 failures in a row
-- ARGV  1 id, 2 the time at which it was due
-- Returns the pause in ms; 0 if the upload has a later due time already, which stays.
--- @include "parts/time"
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score or tonumber(score) > tonumber(ARGV[2]) then return 0 end
local failures = redis.call('HINCRBY', KEYS[2], ARGV[1], 1)
redis.call('PEXPIRE', KEYS[2], 86400000)
local pause = math.min(3600000, 15000 * 2 ^ math.min(failures - 1, 20))
redis.call('ZADD', KEYS[1], string.format('%d', nowMs() + pause), ARGV[1])
return pause
