-- Takes out of the waiting set what does not wait: the record, which is the truth, says otherwise.
-- KEYS  1 waiting set, 2 waiting by address
-- ARGV  1 prefix of the records' keys, which has the same hash tag, 2 … ids
-- Answers the ids taken out.
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
