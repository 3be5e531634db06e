-- Starts receiving: creates the record, takes over from a request that is still receiving, or starts a failed,
-- cancelled or discarded upload again.
-- ARGV  7 fencing token, 8 total bytes or empty, 9 name, 10 silence in ms or empty, 11 metadata as JSON or empty,
--       12 options as JSON, 13 public id of a new or restarted upload, 14 limits of the queue as JSON or empty,
--       15 bounds of records as JSON or empty, 16 default silence in ms, 17 ownership as JSON, empty in open mode,
--       18 limits of the ticket for the file as JSON or empty,
--       19 not empty if the request may only take over from another one
-- Returns the record, and `restarted` if an ended upload was started again.
--- @include "parts/record"
--- @include "parts/capacity"
--- @include "parts/ownership"
local function answerOpened(isRestarted)
  local reply = answer('ok', true)
  if isRestarted then
    reply[#reply + 1] = 'restarted'
    reply[#reply + 1] = '1'
  end
  return reply
end

if isRepeated() then return answerOpened(was.restartedBy == nonce) end
local mayOnlyTakeOver = ARGV[19] ~= ''
local bounds = ARGV[15] ~= '' and cjson.decode(ARGV[15]) or nil
local ownership = ARGV[17] ~= '' and cjson.decode(ARGV[17]) or nil
if not was.state then
  if mayOnlyTakeOver then return { 'refused', '0' } end
  local lack = lackOfRecords(bounds)
  if lack then return { lack, '0' } end
else
  local rejected = rejection({ receiving = true, failed = true, cancelled = true, discarded = true })
  if rejected then return rejected end
  if mayOnlyTakeOver and was.state ~= 'receiving' then return { 'refused', '0' } end
  -- This is a repeated call whose first reply was lost. The upload that it started has ended since.
  if isFinal and was.publicId == ARGV[13] then return answer('final', true) end
end
local lack = lackOfCapacity(decodeLimits(ARGV[14]))
if lack then return answer(lack, true) end
local refused = ownership and lackOfQuota(ownership, ARGV[8])
if refused then return refused end

if isFinal then
  redis.call('HDEL', key, 'result', 'error', 'variants', 'sha256', 'type', 'options', 'expiresAt', 'faults', 'deaths')
  -- Browsers may have cached variants of the ended upload under its public id.
  redis.call('DEL', publicPrefix .. was.publicId)
  -- The attempt number fences, so it never goes back. Clients see it minus `attemptBase`, which is 0 now.
  put('attemptBase', was.attempt or '0')
  was.percent = '0'
  put('restartedBy', nonce)
end
putChange()
if isFinal then put('version', versionOfRestart(tonumber(was.version))) end
if was.state then
  redis.call('HDEL', key, 'road', 'fetches', 'announcedSha256')
  putMayHaveOrphans()
end
-- A failure without stored bytes is known of its own request only: Redis may have lost an accepted one of this life.
if isFailedUnstored() then fence(lastToken) end
if was.state ~= 'receiving' and not (isFailedUnstored() and was.lifeVersion) then putLife() end
if was.state ~= 'receiving' then
  put('publicId', ARGV[13])
  redis.call('SET', publicPrefix .. ARGV[13], id)
  if was.state then uncount(id, owner) end
  owner = bounds and bounds.owner or ''
  put('owner', owner)
end
if not was.state then
  put('id', id)
  put('createdAt', now)
end
put('state', 'receiving')
put('stage', 'receive')
put('received', '0')
put('total', ARGV[8])
putFencingToken(ARGV[7])
put('name', ARGV[9])
put('stored', '0')
put('silence', ARGV[10])
put('metadata', ARGV[11])
if not mayOnlyTakeOver then
  put('options', ARGV[12])
  if ARGV[18] ~= '' then put('allowed', ARGV[18]) elseif was.state then redis.call('HDEL', key, 'allowed') end
  putOwner(ownership)
  if ownership then putQuota(ownership) end
end
putPhase()
save()
if isFinal then keepWhileOpen() elseif not was.state then countWhileOpen(id, owner) end
dueAfterSilence(ARGV[16])
publish(id, event)
return answerOpened(isFinal)
