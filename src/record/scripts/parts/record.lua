-- One change of a record as a single step: the guards decide, the hash moves, the sets follow, and the event goes out on
-- BullMQ's own stream, so that there is never a change without its event nor an event without its change.
--
-- KEYS  1 record, 2 waiting set, 3 event stream, 4 due set, 5 waiting by address, 6 drained,
--       7 failures that another try may mend, 8 records, 9 records by owner
-- ARGV  1 id, 2 nonce, by which a change that is sent again is known, 3 event stream length,
--       4 prefix of the public id's key, which has the same hash tag, 5 and 6 the command and the channel by which the change is
--       published too, empty for none; from 7 on those of the transition
--
-- Answers `{ 'ok', version, field, value, … }`, fields only if the transition returns the record, or
-- `{ reason, version, field, value, … }` with a reason of `Rejection`. Among the fields of a waiting upload
-- is `rank`, its 0-based place.
local key, waitingKey, eventsKey, dueKey, byAddressKey, drainedKey, failedKey, recordsKey, ownersKey = unpack(KEYS)
local id, nonce, streamLength, publicPrefix, publishCommand, channel = unpack(ARGV)
--- @include "../../../queue/scripts/parts/waiting"
--- @include "count"
local preciseNow = nowMs()
local now = string.format('%d', preciseNow)

-- What an event says, in the order in which it is read.
local eventNames = { 'publicId', 'state', 'version', 'percent', 'stage', 'received', 'total', 'attempt', 'attemptBase', 'updatedAt', 'phaseStartedAt', 'phasePercent', 'stored', 'deleted' }
local otherNames = { 'sequence', 'receipt', 'nonce', 'variants', 'expiresAt', 'faults', 'deaths', 'address', 'strewn', 'silence', 'owner', 'restartedBy' }

-- The record as it was, and what the event will say of it.
local was, event = {}, {}
do
  local names = { unpack(eventNames) }
  for _, name in ipairs(otherNames) do names[#names + 1] = name end
  local values = redis.call('HMGET', key, unpack(names))
  for index, name in ipairs(names) do if values[index] then was[name] = values[index] end end
  for _, name in ipairs(eventNames) do event[name] = was[name] end
end
local owner = was.owner or ''
local isFinal = was.state == 'completed' or was.state == 'failed' or was.state == 'cancelled' or was.state == 'discarded'

-- The key or channel of another upload that has the same form.
local function beside(name, other) return string.sub(name, 1, -#id - 1) .. other end

local function tell(of, about)
  local tale = { at = string.format('%.3f', preciseNow) }
  for _, name in ipairs(eventNames) do tale[name] = about[name] end
  local data = cjson.encode(tale)
  redis.call('XADD', eventsKey, 'MAXLEN', '~', streamLength, '*', 'event', 'progress', 'jobId', of, 'data', data)
  if publishCommand ~= '' then redis.call(publishCommand, beside(channel, of), data) end
end

local function answer(word, withRecord)
  local reply = { word, event.version or '0' }
  if withRecord then
    for _, part in ipairs(redis.call('HGETALL', key)) do reply[#reply + 1] = part end
    local rank = event.state == 'queued' and redis.call('ZRANK', waitingKey, id)
    if rank then
      reply[#reply + 1] = 'rank'
      reply[#reply + 1] = rank
    end
  end
  return reply
end

-- A reply that was lost with its connection makes the client send the same change again.
local function isRepeated() return was.state and was.nonce == nonce end

-- The answer if the change may not be applied: `from` has the states that it is for, the guards are compared where they
-- are not empty. Nil if it may.
local function rejection(from, fencingToken, attempt, version)
  if not was.state then return { 'missing', '0' } end
  if was.deleted == '1' then return answer('deleted', true) end
  if isFinal and was.expiresAt and tonumber(was.expiresAt) <= tonumber(now) then return answer('expired', true) end
  if version and version ~= '' and version ~= was.version then return answer('fenced', true) end
  if fencingToken and fencingToken ~= was.receipt then return answer('fenced', true) end
  if not from[was.state] then return answer(isFinal and 'final' or 'state', true) end
  if attempt and attempt ~= '' and attempt ~= was.attempt then return answer('fenced', true) end
end

local set = {}
local function put(field, value)
  set[#set + 1] = field
  set[#set + 1] = tostring(value)
  event[field] = tostring(value)
end
local function putGiven(field, value) if value ~= '' then put(field, value) end end

-- What every change sets. The percent never goes down.
local function putChange(percent)
  put('version', tonumber(was.version or '0') + 1)
  put('updatedAt', now)
  put('nonce', nonce)
  local before = tonumber(was.percent or '0')
  put('percent', percent and tonumber(percent) > before and tonumber(percent) or before)
end

-- Receiving, waiting or an attempt begins.
local function putPhase()
  put('phaseStartedAt', now)
  put('phasePercent', event.percent)
end

-- Somebody else goes on with it, or ends it: whoever wrote its files until now may write some more before it learns of that.
local function putConcurrentWriters()
  was.strewn = '1'
  put('strewn', '1')
end

local function save(...)
  redis.call('HSET', key, unpack(set))
  if select('#', ...) > 0 then redis.call('HDEL', key, ...) end
end

-- Waits from now on; whoever has to look after it is the worker.
local function wait(address, first, pauseMs)
  enterQueue(id, address, first, pauseMs)
  redis.call('ZREM', dueKey, id)
end

local function leaveWaiting()
  if was.state ~= 'queued' then return end
  leaveQueue(id, was.address)
  countDrained(1)
  redis.call('HDEL', key, 'address')
end

local function dueIn(ms) redis.call('ZADD', dueKey, string.format('%d', tonumber(now) + ms), id) end

-- A receiving upload is due when nothing was heard of it for as long as it may be silent.
local function dueAfterSilence(defaultMs)
  local silence = event.silence or was.silence
  dueIn(tonumber(silence ~= '' and silence or defaultMs) or tonumber(defaultMs))
end

-- To be called before `save`, and `keepUntilEnd` after it.
local function putEnd(retentionMs) put('expiresAt', string.format('%d', tonumber(now) + retentionMs)) end

-- An expired upload answers as gone for as long again, then as unknown. One that is to be cleared up is due at once.
local function keepUntilEnd(retentionMs, isDueNow)
  local publicKey = publicPrefix .. (event.publicId or '')
  redis.call('PEXPIRE', key, 2 * retentionMs)
  redis.call('PEXPIRE', publicKey, 2 * retentionMs)
  countUntil(id, owner, tonumber(now) + 2 * retentionMs)
  leaveWaiting()
  dueIn((isDueNow or was.strewn) and 0 or retentionMs)
  if was.state == 'failed' then redis.call('ZREM', failedKey, id) end
end

-- A failed, cancelled or discarded upload lives again.
local function keepWhileOpen()
  redis.call('PERSIST', key)
  redis.call('PERSIST', publicPrefix .. event.publicId)
  countWhileOpen(id, owner)
  if was.state == 'failed' then redis.call('ZREM', failedKey, id) end
end
