-- Marks a reconciliation scan as done, unless another one has become due since it began.
-- KEYS  1 the run id of the last reconciliation
-- ARGV  1 value of the key when the scan began, 2 run id, 3 the next scan is due after this time in ms
if (redis.call('GET', KEYS[1]) or '') == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
