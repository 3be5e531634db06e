-- Ends an upload with its result.
-- ARGV  7 attempt, 8 result as JSON, 9 SHA-256 of the uploaded bytes or empty, 10 retention in ms,
--       11 all variants of the attempt as JSON, or empty to keep the announced ones. Redis may have lost some
--       announcements.
--- @include "parts/record"
if isRepeated() then return answer('ok') end
local rejected = rejection({ processing = true }, nil, ARGV[7])
if rejected then return rejected end
putChange(100)
put('state', 'completed')
put('stage', 'done')
putResult(ARGV[8])
putGiven('sha256', ARGV[9])
putGiven('variants', ARGV[11])
putEnd(ARGV[10])
save()
keepUntilEnd(ARGV[10])
publish(id, event)
return answer('ok')
