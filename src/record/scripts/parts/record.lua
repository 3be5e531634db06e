-- Changes a record in one atomic step: the guards decide, the hash and the sets change, and the event is added to
-- BullMQ's own stream. So there is never a change without its event, nor an event without its change.
--
-- KEYS  1 record, 2 waiting set, 3 event stream, 4 due set, 5 waiting by address, 6 drained,
--       7 failed uploads that may be retried, 8 records, 9 records by owner, 10 tenants,
--       11 prefix of the keys of the order, 12 outbox of webhooks, 13 prefix of the keys of large results,
--       14 the outbox again if this process knows endpoints
-- ARGV  1 id, 2 nonce, by which a repeated call is recognised, 3 event stream length,
--       4 key prefix of public ids, with the same hash tag,
--       5 and 6 command and channel that publish the change as well, empty for none; from 7 on those of the transition
--
-- Returns `{ 'ok', version, field, value, … }`, with fields only if the transition returns the record, or `{ rejection,
-- version, field, value, … }`, see `Rejection`. A waiting upload also has the field `rank`, its 0-based position.
local key, waitingKey, eventsKey, dueKey, byAddressKey, drainedKey = unpack(KEYS)
local failedKey, recordsKey, ownersKey, tenantPrefix, fairPrefix, outboxKey, resultPrefix = unpack(KEYS, 7)
local hasEndpoints = KEYS[14] ~= nil
local id, nonce, streamLength, publicPrefix, publishCommand, channel = unpack(ARGV)
--- @include "../../../queue/scripts/parts/waiting"
--- @include "count"
--- @include "use"
--- @include "final-version"
--- @include "outbox"
local preciseNow = nowMs()
local now = string.format('%d', preciseNow)

-- The fields of an event, in the order in which they are read.
local eventNames = {
  'publicId', 'state', 'version', 'percent', 'stage', 'received', 'total', 'attempt', 'attemptBase', 'updatedAt',
  'phaseStartedAt', 'phasePercent', 'stored', 'deleted', 'trace',
}
local otherNames = {
  'sequence', 'receipt', 'nonce', 'expiresAt', 'faults', 'deaths', 'address', 'strewn', 'silence', 'owner',
  'restartedBy', 'endedBy', 'tenant', 'lane', 'weight', 'kind', 'permit',
  'uncounted', 'limits', 'ticket', 'road', 'fetches', 'hooks', 'lifeVersion', 'fenced',
}

-- The record before the change, and the event after it.
local was, event = {}, {}
do
  local names = { unpack(eventNames) }
  for _, name in ipairs(otherNames) do names[#names + 1] = name end
  local values = redis.call('HMGET', key, unpack(names))
  for index, name in ipairs(names) do if values[index] then was[name] = values[index] end end
  for _, name in ipairs(eventNames) do event[name] = was[name] end
end
local owner = was.owner or ''
local useFields = { 'tenant', 'state', 'stored', 'received', 'total', 'deleted', 'uncounted', 'expiresAt' }
local finalStates = { completed = true, failed = true, cancelled = true, discarded = true }
local isFinal = finalStates[was.state or ''] == true
local isReported = hasEndpoints or was.hooks == '1'

-- Returns the key or channel of another upload.
local function beside(name, other) return string.sub(name, 1, -#id - 1) .. other end

local function publish(of, about)
  local fields = { at = string.format('%.3f', preciseNow) }
  for _, name in ipairs(eventNames) do fields[name] = about[name] end
  local data = cjson.encode(fields)
  redis.call('XADD', eventsKey, 'MAXLEN', '~', streamLength, '*', 'event', 'progress', 'jobId', of, 'data', data)
  if publishCommand ~= '' then redis.call(publishCommand, beside(channel, of), data) end
end

-- Returns the fields by which the upload is placed in the order.
local function placing()
  local of = {}
  for _, name in ipairs({ 'kind', 'tenant', 'lane', 'weight' }) do of[name] = event[name] or was[name] end
  return of
end

local function answer(word, withRecord, fields)
  local reply = { word, event.version or '0' }
  if withRecord then
    for _, part in ipairs(fields or redis.call('HGETALL', key)) do reply[#reply + 1] = part end
    local rank = event.state == 'queued' and positionOf(id, placing())
    if rank then
      reply[#reply + 1] = 'rank'
      reply[#reply + 1] = rank
    end
  end
  return reply
end

-- If a reply is lost with its connection, the client sends the same change again.
-- The change that ended the last life is recognized even after the upload began a new one.
local function isRepeated() return was.state and (was.nonce == nonce or was.endedBy == nonce) end

-- The fencing token of the last request.
local lastToken = was.receipt
local function isOfRequest(token) return lastToken == token end

-- Returns the reply if the change is rejected, or nil. `from` has the states that allow it. The other guards are
-- compared if they are not empty.
local function rejection(from, fencingToken, attempt, version)
  if not was.state then return { 'missing', '0' } end
  if was.deleted == '1' then return answer('deleted', true) end
  if isFinal and was.expiresAt and tonumber(was.expiresAt) <= tonumber(now) then return answer('expired', true) end
  if version and version ~= '' and version ~= was.version then return answer('fenced', true) end
  if fencingToken and not isOfRequest(fencingToken) then return answer('fenced', true) end
  if not from[was.state] then return answer(isFinal and 'final' or 'state', true) end
  if attempt and attempt ~= '' and attempt ~= was.attempt then return answer('fenced', true) end
end

local set = {}
local function put(field, value)
  local text = tostring(value)
  set[#set + 1] = field
  set[#set + 1] = text
  event[field] = text
end
local function putGiven(field, value) if value ~= '' then put(field, value) end end
local function putFencingToken(token) put('receipt', token) end

-- Remembers that the request with this token was rejected, so that nobody queues its file from its manifest. The
-- request may be removing the file at this moment.
local MOST_FENCED, TOKEN_LENGTH = 8, 36
local function fence(token)
  local others = string.sub(was.fenced or '', 1, (MOST_FENCED - 1) * (TOKEN_LENGTH + 1) - 1)
  redis.call('HSET', key, 'fenced', others == '' and token or token .. ' ' .. others)
end

-- With its own token the file was queued already, or the record has ended with it.
local function fenceOther(token) if was.state and not isOfRequest(token) then fence(token) end end

local function isFenced(token) return string.find(was.fenced or '', token, 1, true) ~= nil end

-- Returns whether the upload has failed and no bytes of it count.
local function isFailedUnstored() return was.state == 'failed' and was.stored ~= '1' end

-- The upload begins, or begins again after an end that counts for all its requests. Call it after the version is put.
local function putLife() put('lifeVersion', event.version) end

-- Puts the fields that every change sets. The percent never goes down.
local function putChange(percent)
  put('version', digits(tonumber(was.version or '0') + 1))
  put('updatedAt', now)
  put('nonce', nonce)
  local before = tonumber(was.percent or '0')
  put('percent', percent and tonumber(percent) > before and tonumber(percent) or before)
end

-- A result with more bytes has a key of its own, so that only its readers move it. The other fields of a record have 2
-- to 4 KB, so a shorter result adds little to them, and needs no second read.
local MOST_RESULT_BYTES = 4096

-- The field that has a key of its own, with its value.
local apart = {}

-- Call it before `keepUntilEnd`, which gives the key the expiry of the record.
local function putResult(json)
  if #json <= MOST_RESULT_BYTES then return put('result', json) end
  put('resultBytes', #json)
  apart = { 'result', json }
end

local function dropResult() redis.call('DEL', resultPrefix .. id) end

-- Marks the start of receiving, of waiting or of an attempt.
local function putPhase()
  put('phaseStartedAt', now)
  put('phasePercent', event.percent)
end

-- An earlier request or attempt may have left files, or may write more until it notices that another one continues.
local function putMayHaveOrphans()
  was.strewn = '1'
  put('strewn', '1')
end

-- Changes what the tenant uses. An upload that ends before it was stored gives its place in the ticket back.
local function countUse()
  local after = {}
  for _, name in ipairs(useFields) do after[name] = event[name] or was[name] end
  if changeUse(id, was, after) then
    redis.call('ZADD', uploadsKey(after.tenant), redis.call('HGET', key, 'createdAt'), id)
  end
  if was.state ~= 'receiving' or after.state == 'receiving' then return end
  if after.state == 'queued' then countDay(after.tenant, tonumber(after.received)) end
  if finalStates[after.state] and was.ticket then redis.call('SREM', ticketKey(was.ticket), id) end
  redis.call('HDEL', key, 'limits', 'uncounted')
end

-- Forgets the permit of an attempt that has ended.
local function dropPermit()
  if not was.permit then return end
  forgetPermit(was.permit)
  redis.call('HDEL', key, 'permit')
end

local function save(...)
  if was.state == 'processing' and event.state ~= 'processing' then dropPermit() end
  redis.call('HSET', key, unpack(set))
  -- The road may contain an address with a secret.
  if was.road and event.state ~= 'receiving' then redis.call('HDEL', key, 'road') end
  if select('#', ...) > 0 then redis.call('HDEL', key, ...) end
  if was.tenant or event.tenant then countUse() end
end

-- Puts the upload into the queue. From now on the workers are responsible, not the janitor.
local function wait(address, isFirst, pauseMs)
  enterQueue(id, placing(), address, isFirst, pauseMs)
  redis.call('ZREM', dueKey, id)
end

-- The reply for an upload that waits now. `permitFor` is the kind if the caller has to add a permit.
local function answerWaiting(withRecord, fields)
  local reply = answer('ok', withRecord, fields)
  local kind = kindOf(placing())
  if not needsPermit(kind) then return reply end
  reply[#reply + 1] = 'permitFor'
  reply[#reply + 1] = kind
  return reply
end

local function leaveWaiting()
  if was.state ~= 'queued' then return end
  leaveQueue(id, was, was.address)
  countDrained(1)
  redis.call('HDEL', key, 'address')
end

local function dueIn(ms) redis.call('ZADD', dueKey, string.format('%d', tonumber(now) + ms), id) end

-- Makes a receiving upload due when it had no report for its time.
local function dueAfterSilence(defaultMs)
  local silence = event.silence or was.silence
  dueIn(tonumber(silence ~= '' and silence or defaultMs) or tonumber(defaultMs))
end

-- Puts the fields of an end. Call it after the state is put and before `save`, and `keepUntilEnd` after `save`.
local function putEnd(retentionMs)
  if isReported then
    local outcome = event.deleted == '1' and 'deleted' or event.state
    put('version', versionOfEnd(outcome, tonumber(was.version), lastToken))
  end
  put('expiresAt', string.format('%d', tonumber(now) + retentionMs))
  put('endedBy', nonce)
end

-- After its retention time an upload answers 410 for the same time again, then 404. With `isDueNow` the janitor removes
-- its files at once.
local function keepUntilEnd(retentionMs, isDueNow)
  local publicKey = publicPrefix .. (event.publicId or '')
  redis.call('PEXPIRE', key, 2 * retentionMs)
  redis.call('PEXPIRE', publicKey, 2 * retentionMs)
  if apart[2] then redis.call('SET', resultPrefix .. id, apart[2], 'PX', 2 * retentionMs) end
  countUntil(id, owner, tonumber(now) + 2 * retentionMs)
  leaveWaiting()
  dueIn((isDueNow or was.strewn) and 0 or retentionMs)
  if was.state == 'failed' then redis.call('ZREM', failedKey, id) end
  if not isReported then return end
  if event.deleted == '1' then sendDeletion(set) else sendWebhook(event.state, key, apart) end
end

-- Removes the expiry when an ended upload is started again.
local function keepWhileOpen()
  redis.call('PERSIST', key)
  redis.call('PERSIST', publicPrefix .. event.publicId)
  countWhileOpen(id, owner)
  if was.state == 'failed' then redis.call('ZREM', failedKey, id) end
end
