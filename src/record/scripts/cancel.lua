-- Cancels an upload that is receiving, queued or processing.
-- ARGV  7 channel that notifies workers, 8 retention in ms
-- Returns the record.
--- @include "parts/record"
if isRepeated() then return answer('ok', true) end
local rejected = rejection({ receiving = true, queued = true, processing = true })
if rejected then return rejected end
putChange()
put('state', 'cancelled')
put('stage', 'done')
put('stored', '0')
if was.state ~= 'queued' then putMayHaveOrphans() end
putEnd(ARGV[8])
save('variants')
keepUntilEnd(ARGV[8], true)
publish(id, event)
redis.call('PUBLISH', ARGV[7], id)
return answer('ok', true)
