-- Takes an upload out of the due set, or sets when it is due next, unless it has become due later meanwhile.
-- KEYS  1 due set, 2 failures in a row
-- ARGV  1 id, 2 the time at which it was due, 3 when it is due next, empty for never
redis.call('HDEL', KEYS[2], ARGV[1])
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score or tonumber(score) > tonumber(ARGV[2]) then return 0 end
if ARGV[3] == '' then return redis.call('ZREM', KEYS[1], ARGV[1]) end
return redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
