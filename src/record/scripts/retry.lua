-- Queues a failed upload again, from its stored bytes, unless it was changed after the version. Resets its faults and
-- deaths.
-- ARGV  7 version
--- @include "parts/record"
if isRepeated() then return answerWaiting() end
local rejected = rejection({ failed = true }, nil, nil, ARGV[7])
if rejected then return rejected end
putChange()
put('state', 'queued')
put('stage', 'queue')
putPhase()
save('error', 'expiresAt', 'faults', 'deaths')
keepWhileOpen()
wait()
publish(id, event)
return answerWaiting()
