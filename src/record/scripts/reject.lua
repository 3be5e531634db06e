-- Ends an upload whose file was rejected or whose request broke off.
-- ARGV  7 fencing token, 8 error as JSON, 9 received bytes, 10 type or empty, 11 metadata as JSON, or empty to keep it,
--       12 retention in ms
-- Returns the record.
--- @include "parts/record"
if isRepeated() then return answer('ok', true) end
local rejected = rejection({ receiving = true }, ARGV[7])
if rejected then
  fenceOther(ARGV[7])
  return rejected
end
putChange()
put('state', 'failed')
put('stage', 'done')
put('received', ARGV[9])
put('error', ARGV[8])
putGiven('type', ARGV[10])
putGiven('metadata', ARGV[11])
-- With a type the request has begun a file. Its removal fails while the storage is away.
if ARGV[10] ~= '' then putMayHaveOrphans() end
putEnd(ARGV[12])
save('options')
keepUntilEnd(ARGV[12])
publish(id, event)
return answer('ok', true)
