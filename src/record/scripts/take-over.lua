-- Continues an upload that is still receiving, with the bytes it has.
-- ARGV  7 fencing token of the earlier request, 8 fencing token of this one, 9 default silence in ms
-- Returns the record.
--- @include "parts/record"
if isRepeated() then return answer('ok', true) end
local rejected = rejection({ receiving = true }, ARGV[7])
if rejected then return rejected end
putChange()
putFencingToken(ARGV[8])
putMayHaveOrphans()
save()
dueAfterSilence(ARGV[9])
publish(id, event)
return answer('ok', true)
