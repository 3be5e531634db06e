-- Queues an upload whose bytes are durable.
-- ARGV  7 fencing token, 8 size in bytes, 9 type, 10 SHA-256 or empty, 11 options as JSON, 12 percent,
--       13 limits of the queue as JSON or empty, 14 client address or empty, 15 retention in ms of evicted uploads,
--       16 kind, 17 id of the request or empty, 18 position of the span of the request, or empty
-- Returns the record, in `discarded` the ids of evicted uploads, and in `permitFor` the kind if a permit must be added.
--- @include "parts/record"
--- @include "parts/capacity"
--- @include "parts/ownership"
--- @include "parts/stored"
if isRepeated() then return answerWaiting(true) end
local rejected = rejection({ receiving = true }, ARGV[7])
if rejected then
  fenceOther(ARGV[7])
  return rejected
end
local queueLimits = decodeLimits(ARGV[13])
local lack = lackOfCapacity(queueLimits)
if lack then return answer(lack, true) end
local limits = limitsOfRecord()
local limit = limits and limitOfQueuing(was.tenant, limits, tonumber(ARGV[8]))
if limit then return answerLimited(limit) end
evictOldest(queueLimits, tonumber(ARGV[15]))
putChange(ARGV[12])
putStored(ARGV[8], ARGV[9], ARGV[10], ARGV[11], ARGV[16])
put('requestId', ARGV[17])
if ARGV[18] ~= '' or was.trace then put('trace', ARGV[18]) end
putGiven('address', ARGV[14])
putPhase()
save()
wait(ARGV[14] ~= '' and ARGV[14] or nil)
publish(id, event)
return answerQueued()
