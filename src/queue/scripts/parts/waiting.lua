-- Who enters the waiting set and who leaves it, whose they are, and how fast they go.
-- Locals: waitingKey, byAddressKey, drainedKey.
--- @include "time"

-- A rate is told from 12 stretches of 5 seconds.
local STRETCHES, STRETCH_SECONDS = 12, 5

local function stretchNow() return math.floor(nowMs() / (STRETCH_SECONDS * 1000)) end

local function countDrained(change)
  local stretch = stretchNow()
  -- The first of its stretch clears up after those that are over.
  if redis.call('HINCRBY', drainedKey, stretch, change) ~= change then return end
  for _, old in ipairs(redis.call('HKEYS', drainedKey)) do
    if tonumber(old) <= stretch - STRETCHES then redis.call('HDEL', drainedKey, old) end
  end
  redis.call('EXPIRE', drainedKey, STRETCHES * STRETCH_SECONDS)
end

-- Last, or before all others, where BullMQ puts a job that was handed back. Two uploads of one millisecond have an order too.
-- With a pause it is behind all others until that is over: the score is the time of the next try.
local function enterQueue(id, address, first, pauseMs)
  local score = nowMs() + (pauseMs or 0)
  local oldest = first and redis.call('ZRANGE', waitingKey, 0, 0, 'WITHSCORES')[2]
  if oldest then score = math.min(score, tonumber(oldest) - 1) end
  redis.call('ZADD', waitingKey, string.format('%.3f', score), id)
  if address then redis.call('HINCRBY', byAddressKey, address, 1) end
end

local function leaveQueue(id, address)
  redis.call('ZREM', waitingKey, id)
  if address and redis.call('HINCRBY', byAddressKey, address, -1) <= 0 then redis.call('HDEL', byAddressKey, address) end
end
