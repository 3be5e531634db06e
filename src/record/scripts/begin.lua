-- Starts an attempt and returns its number, which fences all earlier ones. If an earlier attempt is still processing,
-- it ended without a report and counts as a death.
-- ARGV  7 stage, 8 most faults, 9 most deaths, 10 silence in ms
-- Returns the record.
--- @include "parts/record"
if isRepeated() then return answer('ok', true) end
local rejected = rejection({ queued = true, processing = true })
if rejected then return rejected end
local deaths = tonumber(was.deaths or '0') + (was.state == 'processing' and 1 or 0)
local isExhausted = tonumber(was.faults or '0') >= tonumber(ARGV[8]) or deaths >= tonumber(ARGV[9])
if isExhausted then return answer('exhausted', true) end
putChange()
put('deaths', deaths)
put('attempt', tonumber(was.attempt or '0') + 1)
put('sequence', 0)
put('state', 'processing')
put('stage', ARGV[7])
if was.state == 'processing' then putConcurrentWriters() end
putPhase()
save()
leaveWaiting()
dueIn(ARGV[10])
publish(id, event)
return answer('ok', true)
