-- Queues a failed upload again, from its stored bytes, unless it was changed since. Its faults and deaths are forgiven.
-- ARGV  7 version
--- @include "parts/record"
if isRepeated() then return answer('ok') end
local refused = refusal({ failed = true }, nil, nil, ARGV[7])
if refused then return refused end
putChange()
put('state', 'queued')
put('stage', 'queue')
putPhase()
save('error', 'expiresAt', 'faults', 'deaths')
keepWhileOpen()
wait()
tell(id, event)
return answer('ok')
