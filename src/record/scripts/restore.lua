-- Rebuilds the record of a stored upload from its manifest, if Redis has lost it, or has only an earlier, ended state
-- of it. The versions and the attempts continue from `base`, the versions within the life of the request.
-- ARGV  7 base, 8 size in bytes, 9 type, 10 SHA-256 or empty, 11 options as JSON, 12 percent, 13 fencing token,
--       14 name, 15 public id, 16 creation time in ms since 1970,
--       17 version of the record that the request opened, or empty, 18 ownership as JSON or empty, 19 kind,
--       20 SHA-256 that the sender has announced, or empty
-- Returns the record.
--- @include "parts/record"
--- @include "parts/ownership"
--- @include "parts/stored"
if isRepeated() then return answerWaiting(true) end
-- Returns whether Redis has lost the upload of the manifest. A request leaves its manifest only if it was accepted or
-- could not know that. So an upload that has failed without stored bytes does not replace another request of its life.
-- Any other end counts for each request that began before it. Versions only grow: a record with a lower version than
-- its manifest is from before a loss.
local function isBehind()
  if not isFinal or was.deleted == '1' or ARGV[17] == '' then return false end
  local createdAt = tonumber(redis.call('HGET', key, 'createdAt') or '0')
  if createdAt ~= tonumber(ARGV[16]) then return isFailedUnstored() or tonumber(was.updatedAt) < tonumber(ARGV[16]) end
  local version = tonumber(was.version) + 1
  if isFailedUnstored() and not isOfRequest(ARGV[13]) then version = tonumber(was.lifeVersion or version) end
  return tonumber(ARGV[17]) >= version
end

if was.state then
  if not isBehind() then return rejection({}) end
  if isFenced(ARGV[13]) then return answer('fenced', true) end
  uncount(id, owner)
  redis.call('DEL', key, publicPrefix .. was.publicId)
  dropResult()
  redis.call('ZREM', failedKey, id)
  was.percent = '0'
  owner = ''
end
putChange(ARGV[12])
putStored(ARGV[8], ARGV[9], ARGV[10], ARGV[11], ARGV[19])
put('id', id)
put('publicId', ARGV[15])
put('createdAt', ARGV[16])
local firstVersion = firstOfLife(tonumber(ARGV[17]) or 0) + tonumber(ARGV[7])
put('version', digits(math.max(firstVersion, tonumber(was.version or '0') + 1)))
put('attempt', ARGV[7])
put('attemptBase', ARGV[7])
putFencingToken(ARGV[13])
putLife()
putGiven('fenced', was.fenced or '')
put('name', ARGV[14])
putGiven('announcedSha256', ARGV[20])
put('owner', '')
putOwner(ARGV[18] ~= '' and cjson.decode(ARGV[18]) or nil)
putMayHaveOrphans()
putPhase()
save()
redis.call('SET', publicPrefix .. ARGV[15], id)
countWhileOpen(id, owner)
-- The counts of the day may be lost with the record.
local isOfToday = math.floor(ARGV[16] / DAY_MS) == math.floor(nowMs() / DAY_MS)
if isOfToday and (event.tenant or '') ~= '' then countDay(event.tenant, tonumber(ARGV[8])) end
wait()
publish(id, event)
return answerWaiting(true)
