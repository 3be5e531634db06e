-- Ends an upload as failed. Without an attempt it applies to every attempt.
-- ARGV  7 attempt or empty, 8 error as JSON, 9 `1` if an operator may retry it, 10 retention in ms,
--       11 `1` if the bytes are not kept
--- @include "parts/record"
if isRepeated() then return answer('ok') end
local rejected = rejection({ processing = true, queued = ARGV[7] == '' }, nil, ARGV[7])
if rejected then return rejected end
putChange()
put('state', 'failed')
put('stage', 'done')
put('error', ARGV[8])
if ARGV[11] == '1' then put('stored', '0') end
putMayHaveOrphans()
putEnd(ARGV[10])
save('variants')
keepUntilEnd(ARGV[10])
if ARGV[9] == '1' then
  redis.call('ZADD', failedKey, now, id)
  redis.call('ZREMRANGEBYSCORE', failedKey, '-inf', string.format('%d', tonumber(now) - ARGV[10]))
end
publish(id, event)
return answer('ok')
