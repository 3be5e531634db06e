-- KEYS  1 waiting set, 2 how far it was compared: `newest` is the score of the newest that was, `next` that of the last one
--       that the round over the older ones has come to
-- ARGV  1 least age in ms, 2 how many of each at most
-- Answers ids, the older ones first.
--- @include "parts/time"
local ids = {}
-- Returns the score of the last one that was taken; nil if all were taken.
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
