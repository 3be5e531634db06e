-- Begins to fetch the bytes of an upload. An earlier worker that still fetches them is fenced.
-- ARGV  7 fencing token of this worker, 8 maximum number of beginnings, 9 default silence in ms
-- Returns the record. Rejected with `exhausted` after the maximum number of beginnings.
--- @include "parts/record"
if isRepeated() then return answer('ok', true) end
local rejected = rejection({ receiving = true })
if rejected then return rejected end
if not was.road then return answer('state', true) end
local begun = tonumber(was.fetches or '0') + 1
if begun > tonumber(ARGV[8]) then return answer('exhausted', true) end
putChange()
putFencingToken(ARGV[7])
put('received', '0')
put('fetches', begun)
-- Clients see the number of beginnings as the attempt. The first attempt at processing does not raise it.
put('attemptBase', tonumber(was.attempt or '0') - begun)
if begun > 1 then putMayHaveOrphans() end
putPhase()
save()
dueAfterSilence(ARGV[9])
publish(id, event)
return answer('ok', true)
