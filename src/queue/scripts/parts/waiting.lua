-- Adds uploads to the waiting set, removes them, counts them by address, and counts how many drain.
-- Locals: waitingKey, byAddressKey, drainedKey.
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

-- Adds an upload as the last one, or as the first one, where BullMQ puts a requeued job. The score is the time in ms
-- with fractions. With a pause it is the time of the next try.
local function enterQueue(id, address, first, pauseMs)
  local score = nowMs() + (pauseMs or 0)
  local oldest = first and redis.call('ZRANGE', waitingKey, 0, 0, 'WITHSCORES')[2]
  if oldest then score = math.min(score, tonumber(oldest) - 1) end
  redis.call('ZADD', waitingKey, string.format('%.3f', score), id)
  if address then redis.call('HINCRBY', byAddressKey, address, 1) end
end

local function leaveQueue(id, address)
  redis.call('ZREM', waitingKey, id)
  if not address then return end
  if redis.call('HINCRBY', byAddressKey, address, -1) <= 0 then redis.call('HDEL', byAddressKey, address) end
end
