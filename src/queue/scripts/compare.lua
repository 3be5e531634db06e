-- Returns ids of waiting uploads that should be compared with their jobs, the older ones first.
-- KEYS  1 waiting set,
--       2 state of the comparison: `newest` is the score of the newest upload that was compared,
--       `next` is where the round over the older ones continues
-- ARGV  1 least age in ms, 2 most ids of each kind
--- @include "parts/time"
local ids = {}
-- Adds ids and returns the score of the last one, or nil if there was none, and whether more may follow.
local function take(from, to)
  local found = redis.call('ZRANGEBYSCORE', KEYS[1], from, to, 'WITHSCORES', 'LIMIT', 0, ARGV[2])
  for index = 1, #found, 2 do ids[#ids + 1] = found[index] end
  return found[#found], #found == 2 * tonumber(ARGV[2])
end
local newest, next = unpack(redis.call('HMGET', KEYS[2], 'newest', 'next'))
if newest then
  local last, isMore = take(next and '(' .. next or '-inf', newest)
  if isMore then redis.call('HSET', KEYS[2], 'next', last) else redis.call('HDEL', KEYS[2], 'next') end
end
local last = take(newest and '(' .. newest or '-inf', string.format('%.3f', nowMs() - ARGV[1]))
if last then redis.call('HSET', KEYS[2], 'newest', last) end
return ids
