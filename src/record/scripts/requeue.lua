-- Requeues the upload of an attempt, with the percent it has, first or last in the queue.
-- ARGV  7 attempt, 8 `1` to be first, 9 faults or empty, 10 deaths or empty,
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
-- The removal of the attempt's files fails while the storage is away.
putMayHaveOrphans()
putPhase()
save('variants')
wait(nil, ARGV[8] == '1', tonumber(ARGV[11]))
-- The upload was counted as drained when the attempt began.
countDrained(-1)
publish(id, event)
return answer('ok')
