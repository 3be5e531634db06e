-- Reports the progress of the request that sends the bytes.
-- ARGV  7 fencing token, 8 received bytes, 9 percent, 10 silence in ms or empty, 11 type or empty,
--       12 options as JSON or empty, 13 default silence in ms
--- @include "parts/record"
if isRepeated() then return answer('ok') end
local rejected = rejection({ receiving = true }, ARGV[7])
if rejected then return rejected end
putChange(ARGV[9])
put('received', ARGV[8])
putGiven('silence', ARGV[10])
putGiven('type', ARGV[11])
putGiven('options', ARGV[12])
save()
dueAfterSilence(ARGV[13])
publish(id, event)
return answer('ok')
