-- Counts how many uploads leave the waiting set. Needs the local drainedKey.
--- @include "time"

-- The drain rate is computed from 12 periods of 5 seconds.
local STRETCHES, STRETCH_SECONDS = 12, 5

local function stretchNow() return math.floor(nowMs() / (STRETCH_SECONDS * 1000)) end

local function countDrained(change)
  local stretch = stretchNow()
  -- The first count of a period removes the periods that are too old.
  if redis.call('HINCRBY', drainedKey, stretch, change) ~= change then return end
  for _, old in ipairs(redis.call('HKEYS', drainedKey)) do
    if tonumber(old) <= stretch - STRETCHES then redis.call('HDEL', drainedKey, old) end
  end
  redis.call('EXPIRE', drainedKey, STRETCHES * STRETCH_SECONDS)
end
