-- Compares waiting uploads with their records, the oldest first. The record is the truth. Removes uploads whose record
-- is not queued. Gives a place to uploads that have none, because a process of an older version has queued them.
-- KEYS  1 waiting set, 2 waiting by address, 3 prefix of the keys of the order,
--       4 state of the comparison: `next` is where the round over the waiting set continues
-- ARGV  1 prefix of record keys, with the same hash tag, 2 maximum number of uploads
-- Returns `1` if the round is not complete, and the removed ids.
local waitingKey, byAddressKey, fairPrefix = KEYS[1], KEYS[2], KEYS[3]
--- @include "parts/waiting"
local next = redis.call('HGET', KEYS[4], 'next')
local from = next and '(' .. next or '-inf'
local found = redis.call('ZRANGEBYSCORE', waitingKey, from, '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])
local isMore = #found == 2 * tonumber(ARGV[2])
if isMore then redis.call('HSET', KEYS[4], 'next', found[#found]) else redis.call('DEL', KEYS[4]) end

local reply = { isMore and 1 or 0 }
for index = 1, #found, 2 do
  local id = found[index]
  local of = placedBy(ARGV[1] .. id)
  if of.state ~= 'queued' then
    leaveQueue(id, of, of.address)
    reply[#reply + 1] = id
  elseif not positionOf(id, of) then
    redis.call('SADD', kindsKey(), kindOf(of))
    enterLine(id, of)
  end
end
return reply
