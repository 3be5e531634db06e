-- Queues a receiving upload whose bytes are stored, unless it was changed after the version.
-- ARGV  7 version, 8 size in bytes, 9 type, 10 SHA-256 or empty, 11 options as JSON, 12 percent, 13 fencing token,
--       14 name, 15 kind
--- @include "parts/record"
--- @include "parts/stored"
if isRepeated() then return answerWaiting() end
local rejected = rejection({ receiving = true }, nil, nil, ARGV[7])
if rejected then return rejected end
if isFenced(ARGV[13]) then return answer('fenced', true) end
putChange(ARGV[12])
putStored(ARGV[8], ARGV[9], ARGV[10], ARGV[11], ARGV[15])
putFencingToken(ARGV[13])
put('name', ARGV[14])
putMayHaveOrphans()
putPhase()
save()
wait()
publish(id, event)
return answerWaiting()
