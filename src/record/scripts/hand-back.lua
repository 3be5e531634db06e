-- Hands an attempt back: the upload waits again, with the percent it had, before all others or after them.
-- ARGV  7 attempt, 8 `1` to wait before all others, 9 faults or empty, 10 deaths or empty,
--       11 pause in ms until the next try, or empty
--- @include "parts/record"
if isRepeated() then return answer('ok') end
local rejected = rejection({ processing = true }, nil, ARGV[7])
if rejected then return rejected end
putChange()
put('state', 'queued')
put('stage', 'queue')
putGiven('faults', ARGV[9])
putGiven('deaths', ARGV[10])
putPhase()
save('variants')
wait(nil, ARGV[8] == '1', tonumber(ARGV[11]))
-- It takes the place again that it had left.
countDrained(-1)
tell(id, event)
return answer('ok')
