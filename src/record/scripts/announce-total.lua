-- Sets the size of an upload that was opened without one.
-- ARGV  7 fencing token, 8 total bytes, 9 default silence in ms
--- @include "parts/record"
--- @include "parts/ownership"
if isRepeated() then return answer('ok') end
local rejected = rejection({ receiving = true }, ARGV[7])
if rejected then return rejected end
local limits = limitsOfRecord()
local limit = limits and limitOfSize(was.tenant, limits, tonumber(ARGV[8]), useOf(id, was))
if limit then return answerLimited(limit) end
putChange()
put('total', ARGV[8])
save()
dueAfterSilence(ARGV[9])
publish(id, event)
return answer('ok')
