-- Writes the report of a process, and forgets processes that ended without removing themselves. An API process among
-- them may have left files that no record names, so a reconciliation scan becomes due.
-- KEYS  1 report of the process, 2 set of processes, 3 the run id of the last reconciliation
-- ARGV  1 id, 2 report, 3 life of the report in ms, 4 processes are forgotten after this time in ms,
--       5 life of the set in ms
--- @include "parts/time"
local id, nowAtMs = ARGV[1], math.floor(nowMs())
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('ZADD', KEYS[2], nowAtMs, id)
local ended = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', nowAtMs - tonumber(ARGV[4]))
for _, other in ipairs(ended) do
  redis.call('ZREM', KEYS[2], other)
  -- A value that is no run id. A scan that runs at this moment does not replace it.
  if string.sub(other, 1, 4) == 'api-' then redis.call('SET', KEYS[3], other) end
end
redis.call('PEXPIRE', KEYS[2], ARGV[5])
