-- A worker takes the upload up: mints the attempt that fences all earlier ones. Whoever finds an attempt under way takes
-- over from one that ended without a word, which counts as a death.
-- ARGV  7 stage, 8 most faults, 9 most deaths, 10 silence in ms
-- Answers with the record.
--- @include "parts/record"
if isRepeated() then return answer('ok', true) end
local rejected = rejection({ queued = true, processing = true })
if rejected then return rejected end
local deaths = tonumber(was.deaths or '0') + (was.state == 'processing' and 1 or 0)
if tonumber(was.faults or '0') >= tonumber(ARGV[8]) or deaths >= tonumber(ARGV[9]) then return answer('exhausted', true) end
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
tell(id, event)
return answer('ok', true)
