-- Removes uploads from the waiting set whose record is not queued. The record is the truth.
-- KEYS  1 waiting set, 2 waiting by address
-- ARGV  1 prefix of record keys, with the same hash tag, 2 … ids
-- Returns the removed ids.
local waitingKey, byAddressKey = KEYS[1], KEYS[2]
--- @include "parts/waiting"
local struck = {}
for index = 2, #ARGV do
  local state = redis.call('HGET', ARGV[1] .. ARGV[index], 'state')
  if state ~= 'queued' then
    leaveQueue(ARGV[index], redis.call('HGET', ARGV[1] .. ARGV[index], 'address'))
    struck[#struck + 1] = ARGV[index]
  end
end
return struck
