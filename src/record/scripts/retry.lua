-- Queues a failed upload again, from its stored bytes, unless it was changed since. Its faults and deaths are forgiven.
-- ARGV  7 version
--- @include "parts/record"
if isRepeated() then return answer('ok') end
local rejected = rejection({ failed = true }, nil, nil, ARGV[7])
if rejected then return rejected end
putChange()
put('state', 'queued')
put('stage', 'queue')
putPhase()
save('error', 'expiresAt', 'faults', 'deaths')
keepWhileOpen()
wait()
tell(id, event)
return answer('ok')
