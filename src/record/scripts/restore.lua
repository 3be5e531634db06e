-- Makes the record of a stored upload again, from its manifest. Versions and attempts go on from `base`.
-- ARGV  7 base, 8 size in bytes, 9 type, 10 SHA-256 or empty, 11 options as JSON, 12 percent, 13 fencing token, 14 name,
--       15 public id, 16 when it was created, in ms since 1970
--- @include "parts/record"
--- @include "parts/stored"
if isRepeated() then return answer('ok') end
if was.state then return rejection({}) end
putChange(ARGV[12])
putStored(ARGV[8], ARGV[9], ARGV[10], ARGV[11])
put('id', id)
put('publicId', ARGV[15])
put('createdAt', ARGV[16])
put('version', ARGV[7])
put('attempt', ARGV[7])
put('attemptBase', ARGV[7])
put('receipt', ARGV[13])
put('name', ARGV[14])
put('owner', '')
putStrewn()
putPhase()
save()
redis.call('SET', publicPrefix .. ARGV[15], id)
countWhileOpen(id, owner)
wait()
tell(id, event)
return answer('ok')
