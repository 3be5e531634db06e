-- Leaves a tombstone, so that the id answers 410 until the retention time is over. A final state stays.
-- ARGV  7 channel that notifies workers, 8 retention in ms
-- Returns the record.
--- @include "parts/record"
if isRepeated() then return answer('ok', true) end
local rejected = rejection({
  receiving = true, queued = true, processing = true,
  completed = true, failed = true, cancelled = true, discarded = true,
})
if rejected then return rejected end
putChange()
if not isFinal then
  put('state', 'cancelled')
  put('stage', 'done')
end
if was.state == 'receiving' or was.state == 'processing' then putMayHaveOrphans() end
put('deleted', '1')
put('stored', '0')
putEnd(ARGV[8])
if isReported then keepForDeletion(key) end
dropResult()
save(
  'name', 'result', 'resultBytes', 'error', 'variants', 'sha256', 'type', 'options', 'metadata', 'appMetadata',
  'allowed'
)
keepUntilEnd(ARGV[8], true)
publish(id, event)
redis.call('PUBLISH', ARGV[7], id)
return answer('ok', true)
