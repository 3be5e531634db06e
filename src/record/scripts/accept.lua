-- Creates the record of an upload whose bytes are durable already, and queues it. Rejected with `state`, `final` or
-- `deleted` if the id has a record. The caller removes its files then. If it cannot, the janitor does: at once for an
-- ended upload, otherwise after its end.
-- ARGV  7 to 18: as in `enqueue`; 19 name, 20 public id, 21 time of creation in ms, 22 bounds of records as JSON or
--       empty, 23 ownership as JSON, empty in open mode, 24 limits of the ticket for the file as JSON or empty,
--       25 not empty if nobody else can know the id yet, so that the change needs no event,
--       26 not empty if an earlier request may have left files
-- Returns the reply of `enqueue`, with only the fields that the caller has not sent.
--- @include "parts/record"
--- @include "parts/capacity"
--- @include "parts/ownership"
--- @include "parts/stored"
if isRepeated() then return answerWaiting(true) end
if was.state then
  putMayHaveOrphans()
  redis.call('HSET', key, unpack(set))
  fenceOther(ARGV[7])
  if isFinal then dueIn(0) end
  return answer(was.deleted == '1' and 'deleted' or isFinal and 'final' or 'state', true)
end
local bounds = ARGV[22] ~= '' and cjson.decode(ARGV[22]) or nil
local ownership = ARGV[23] ~= '' and cjson.decode(ARGV[23]) or nil
local queueLimits = decodeLimits(ARGV[13])
local lack = lackOfRecords(bounds) or lackOfCapacity(queueLimits)
if lack then return { lack, '0' } end
local refused = ownership and lackOfQuota(ownership, ARGV[8])
if refused then return refused end
evictOldest(queueLimits, tonumber(ARGV[15]))

owner = bounds and bounds.owner or ''
putChange(ARGV[12])
put('id', id)
put('createdAt', ARGV[21])
put('publicId', ARGV[20])
redis.call('SET', publicPrefix .. ARGV[20], id)
put('owner', owner)
putFencingToken(ARGV[7])
putLife()
put('name', ARGV[19])
putGiven('allowed', ARGV[24])
putOwner(ownership)
if ownership then takeQuota(ownership) end
putStored(ARGV[8], ARGV[9], ARGV[10], ARGV[11], ARGV[16])
put('requestId', ARGV[17])
putGiven('trace', ARGV[18])
putGiven('address', ARGV[14])
putPhase()
if ARGV[26] ~= '' then putMayHaveOrphans() end
save()
if ownership then countDay(ownership.tenant, tonumber(ARGV[8])) end
countWhileOpen(id, owner)
wait(ARGV[14] ~= '' and ARGV[14] or nil)
if ARGV[25] == '' then publish(id, event) end
return answerQueued({
  'state', event.state, 'stage', event.stage, 'percent', event.percent, 'received', event.received,
  'total', event.total, 'stored', event.stored, 'updatedAt', event.updatedAt,
  'phaseStartedAt', event.phaseStartedAt, 'phasePercent', event.phasePercent, 'version', event.version,
  'lifeVersion', event.lifeVersion,
})
