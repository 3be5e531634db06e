-- Stops receiving, waiting or processing, wherever that is.
-- ARGV  7 channel on which workers hear of it, 8 retention in ms
-- Answers with the record.
--- @include "parts/record"
if isRepeated() then return answer('ok', true) end
local rejected = rejection({ receiving = true, queued = true, processing = true })
if rejected then return rejected end
putChange()
put('state', 'cancelled')
put('stage', 'done')
put('stored', '0')
if was.state ~= 'queued' then putConcurrentWriters() end
putEnd(ARGV[8])
save('variants')
keepUntilEnd(ARGV[8], true)
tell(id, event)
redis.call('PUBLISH', ARGV[7], id)
return answer('ok', true)
