-- Removes an upload from the due set, or sets its next due time. An upload with a later due time stays as it is.
-- KEYS  1 due set, 2 failures in a row
-- ARGV  1 id, 2 the time at which it was due, 3 the next due time, empty for never
redis.call('HDEL', KEYS[2], ARGV[1])
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score or tonumber(score) > tonumber(ARGV[2]) then return 0 end
if ARGV[3] == '' then return redis.call('ZREM', KEYS[1], ARGV[1]) end
return redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
