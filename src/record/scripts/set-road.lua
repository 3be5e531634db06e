-- Sets the road of a receiving upload: how its bytes arrive if they do not come through this service.
-- ARGV 7 fencing token, 8 road as JSON, 9 stage or empty, 10 silence in ms or empty, 11 default silence in ms, 12
-- SHA-256 that the sender has announced, or empty, 13 position of the span of the request, or empty
-- Returns the record.
--- @include "parts/record"
if isRepeated() then return answer('ok', true) end
local rejected = rejection({ receiving = true }, ARGV[7])
if rejected then return rejected end
putChange()
put('road', ARGV[8])
putGiven('stage', ARGV[9])
putGiven('silence', ARGV[10])
putGiven('announcedSha256', ARGV[12])
putGiven('trace', ARGV[13])
save()
dueAfterSilence(ARGV[11])
publish(id, event)
return answer('ok', true)
