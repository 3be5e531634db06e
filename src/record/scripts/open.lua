-- Begins to receive: makes the record, takes over from a request that is still receiving, or begins a new life after failed,
-- cancelled or discarded.
-- ARGV  7 fencing token, 8 total bytes or empty, 9 name, 10 silence in ms or empty, 11 metadata as JSON or empty, 12 options as JSON,
--       13 public id of a new record or life, 14 limits of the queue as JSON or empty, 15 bounds as JSON or empty, 16 default silence in ms
-- Answers with the record, and `restarted` for a new life.
--- @include "parts/record"
--- @include "parts/capacity"
local function answerOpened(isRestarted)
  local reply = answer('ok', true)
  if isRestarted then
    reply[#reply + 1] = 'restarted'
    reply[#reply + 1] = '1'
  end
  return reply
end

if isRepeated() then return answerOpened(was.restartedBy == nonce) end
local bounds = ARGV[15] ~= '' and cjson.decode(ARGV[15]) or nil
if not was.state then
  uncountDropped()
  if bounds and redis.call('ZCARD', recordsKey) >= bounds.most then return { 'records', '0' } end
  if bounds and bounds.owner and tonumber(redis.call('HGET', ownersKey, bounds.owner) or '0') >= bounds.mostOfOwner then return { 'owned', '0' } end
else
  local rejected = rejection({ receiving = true, failed = true, cancelled = true, discarded = true })
  if rejected then return rejected end
  -- Sent again because its reply was lost with the connection, and meanwhile the life that it began has ended.
  if isFinal and was.publicId == ARGV[13] then return answer('final', true) end
end
local lack = lackOfCapacity(ARGV[14])
if lack then return answer(lack, true) end

if isFinal then
  redis.call('HDEL', key, 'result', 'error', 'variants', 'sha256', 'type', 'options', 'expiresAt', 'faults', 'deaths')
  -- What browsers keep of the earlier life, they keep under its own public id.
  redis.call('DEL', publicPrefix .. was.publicId)
  -- Attempts go on counting, since they fence; a new life has all of its own.
  put('attemptBase', was.attempt or '0')
  was.percent = '0'
  put('restartedBy', nonce)
end
putChange()
if was.state then putConcurrentWriters() end
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
put('receipt', ARGV[7])
put('name', ARGV[9])
put('stored', '0')
put('silence', ARGV[10])
put('metadata', ARGV[11])
put('options', ARGV[12])
putPhase()
save()
if isFinal then keepWhileOpen() elseif not was.state then countWhileOpen(id, owner) end
dueAfterSilence(ARGV[16])
tell(id, event)
return answerOpened(isFinal)
