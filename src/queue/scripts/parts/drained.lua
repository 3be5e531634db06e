-- Counts how many uploads leave the waiting set. Needs the local drainedKey.
--- @include "time"

-- The drain rate is computed from 12 periods of 5 seconds.
local PERIODS, PERIOD_SECONDS = 12, 5

local function currentPeriod() return math.floor(nowMs() / (PERIOD_SECONDS * 1000)) end

local function countDrained(change)
  local period = currentPeriod()
  -- The first count of a period removes the periods that are too old.
  if redis.call('HINCRBY', drainedKey, period, change) ~= change then return end
  for _, old in ipairs(redis.call('HKEYS', drainedKey)) do
    if tonumber(old) <= period - PERIODS then redis.call('HDEL', drainedKey, old) end
  end
  redis.call('EXPIRE', drainedKey, PERIODS * PERIOD_SECONDS)
end
