-- Adds a stored variant, which may be served from now on.
-- ARGV  7 attempt, 8 name of the variant, 9 variant as JSON
--- @include "parts/record"
if isRepeated() then return answer('ok') end
local rejected = rejection({ processing = true }, nil, ARGV[7])
if rejected then return rejected end
local variants = was.variants and cjson.decode(was.variants) or {}
variants[ARGV[8]] = cjson.decode(ARGV[9])
putChange()
put('variants', cjson.encode(variants))
save()
publish(id, event)
return answer('ok')
