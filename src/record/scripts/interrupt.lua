-- Ends a receiving upload whose process has died, unless it was changed after the version.
-- ARGV  7 version, 8 error as JSON, 9 retention in ms, 10 retention in ms if no byte was received
--- @include "parts/record"
if isRepeated() then return answer('ok') end
local rejected = rejection({ receiving = true }, nil, nil, ARGV[7])
if rejected then return rejected end
local retentionMs = was.received == '0' and ARGV[10] or ARGV[9]
putChange()
put('state', 'failed')
put('stage', 'done')
put('error', ARGV[8])
putMayHaveOrphans()
putEnd(retentionMs)
save()
keepUntilEnd(retentionMs)
publish(id, event)
return answer('ok')
