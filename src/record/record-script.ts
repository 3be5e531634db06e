import { WAITING_FUNCTIONS } from '../queue/waiting-script.ts';
import { COUNT_FUNCTIONS } from './record-count.ts';
import { DISCARD_FUNCTIONS } from './discard-script.ts';

/**
 * The one door through which a record changes, run by Redis as a single step: the guards
 * decide, the hash moves, the waiting set follows and the event goes out on BullMQ's own stream,
 * so that there is never a change without its event nor an event without its change.
 *
 * KEYS  1 record, 2 waiting set, 3 event stream, 4 due set, 5 waiting by address, 6 drained, 7 failures that another try may mend,
 *       8 records, 9 records by owner
 * ARGV  1 the change as JSON (`RecordChange`), 2 event stream length,
 *       3 prefix of the public id's key, which bears the same hash tag,
 *       4 and 5, where the change is to be published too: the command and the upload's channel
 * All times are those of Redis.
 *
 * Returns `{ 'ok', version, field, value, … }` (fields only where the change asks for the record)
 * or `{ reason, field, value, … }` with a reason of `Refusal`. Among the fields of one that waits is `rank`, its 0-based
 * place, and of one that made room for itself `discarded`, the ids of those that gave it.
 */
export const RECORD_SCRIPT = `
local key, waitingKey, eventsKey, dueKey, byAddressKey, drainedKey, failedKey, recordsKey, ownersKey = unpack(KEYS)
local change = cjson.decode(ARGV[1])
${WAITING_FUNCTIONS}${COUNT_FUNCTIONS}
local preciseNow = nowMs()
local now = string.format('%d', preciseNow)

-- What an event tells, in the order in which it is read; what the change sets takes the place of what was.
local names = { 'publicId', 'state', 'version', 'percent', 'stage', 'received', 'total', 'attempt', 'attemptBase', 'updatedAt', 'phaseStartedAt', 'phasePercent', 'stored', 'deleted' }
local was = redis.call('HMGET', key, 'sequence', 'receipt', 'nonce', 'variants', 'expiresAt', 'faults', 'deaths', 'address', 'strewn', 'silence', 'owner', unpack(names))
local event = {}
for index, name in ipairs(names) do if was[11 + index] then event[name] = was[11 + index] end end
local isNew, set = not event.state, {}

-- The key or channel of another upload that has the same form.
local function beside(name, id) return string.sub(name, 1, -#change.id - 1) .. id end

local function tell(id, event)
  local tale = { at = string.format('%.3f', preciseNow) }
  for _, name in ipairs(names) do tale[name] = event[name] end
  local data = cjson.encode(tale)
  redis.call('XADD', eventsKey, 'MAXLEN', '~', ARGV[2], '*', 'event', 'progress', 'jobId', id, 'data', data)
  if ARGV[4] then redis.call(ARGV[4], beside(ARGV[5], id), data) end
end
${DISCARD_FUNCTIONS}
local function answer(word, withFields)
  local reply = { word, event.version or '0' }
  if withFields then
    -- Where there was nothing before, what is set is all.
    for _, part in ipairs(isNew and set or redis.call('HGETALL', key)) do reply[#reply + 1] = part end
    local rank = event.state == 'queued' and redis.call('ZRANK', waitingKey, change.id)
    if rank then
      reply[#reply + 1] = 'rank'
      reply[#reply + 1] = rank
    end
  end
  if #discarded > 0 then
    reply[#reply + 1] = 'discarded'
    reply[#reply + 1] = table.concat(discarded, ' ')
  end
  return reply
end

local sequence, receipt, nonce, variantsJson, expiresAt = tonumber(was[1] or '0'), was[2], was[3], was[4], was[5]
local faults, deaths, address, strewn, owner = tonumber(was[6] or '0'), tonumber(was[7] or '0'), was[8], was[9], was[11] or ''
local state, percent, attempt = event.state, tonumber(event.percent or '0'), tonumber(event.attempt or '0')
local publicKey = ARGV[3] .. (event.publicId or (change.create and change.create.publicId) or '')
local final = state == 'completed' or state == 'failed' or state == 'cancelled' or state == 'discarded'

-- A reply that was lost with its connection makes the client send the same change again.
if state and nonce == change.nonce then return answer('ok', change.wantsRecord) end

if not state then
  if not change.create then return { 'missing', '0' } end
  uncountDropped()
  local bounds = change.bounds
  if bounds and redis.call('ZCARD', recordsKey) >= bounds.most then return { 'records', '0' } end
  if bounds and bounds.owner and tonumber(redis.call('HGET', ownersKey, bounds.owner) or '0') >= bounds.mostOfOwner then return { 'owned', '0' } end
else
  if event.deleted == '1' then return answer('deleted', true) end
  if final and expiresAt and tonumber(expiresAt) <= tonumber(now) then return answer('expired', true) end
  if change.version and change.version ~= tonumber(event.version) then return answer('fenced', true) end
  if change.receipt and change.receipt ~= receipt then return answer('fenced', true) end
  if not change.from[state] then return answer(final and 'final' or 'state', true) end
  if change.attempt and change.attempt ~= attempt then return answer('fenced', true) end
  if change.sequence and change.sequence <= sequence then return answer('fenced', true) end
end
if change.room then
  local word = makeRoom(change.room, change.fields.state == 'queued')
  if word then return answer(word, true) end
end

local function put(field, value)
  set[#set + 1] = field
  set[#set + 1] = tostring(value)
  event[field] = tostring(value)
end
put('version', tonumber(event.version or '0') + 1)
put('updatedAt', now)
put('nonce', change.nonce)

if change.clean then
  redis.call('HDEL', key, 'result', 'error', 'variants', 'sha256', 'type', 'options', 'expiresAt', 'faults', 'deaths')
  -- What browsers keep of the earlier life, they keep under its own public id.
  redis.call('DEL', publicKey)
  publicKey = ARGV[3] .. change.create.publicId
  redis.call('SET', publicKey, change.id)
  put('publicId', change.create.publicId)
  -- Attempts go on counting, since they fence; a new life has all of its own.
  put('attemptBase', attempt)
  percent = 0
  variantsJson = false
end
if change.mint then
  -- Whoever finds an attempt under way takes over from one that ended without a word.
  if state == 'processing' then deaths = deaths + 1 end
  if faults >= change.maxFaults or deaths >= change.maxDeaths then return answer('exhausted', true) end
  put('deaths', deaths)
  put('attempt', attempt + 1)
  put('sequence', 0)
elseif change.sequence then
  put('sequence', change.sequence)
end
if change.percent and change.percent > percent then percent = change.percent end
put('percent', percent)
if change.phase then
  put('phaseStartedAt', now)
  put('phasePercent', percent)
end
if change.variant then
  local variants = variantsJson and cjson.decode(variantsJson) or {}
  variants[change.variant.name] = change.variant
  put('variants', cjson.encode(variants))
end
-- A tombstone of a finished upload keeps its outcome.
if final and change.fields.deleted then change.fields.state, change.fields.stage = nil, nil end
for field, value in pairs(change.fields) do put(field, value) end
if not state or change.clean then
  if state then uncount(change.id, owner) end
  owner = change.bounds and change.bounds.owner or ''
  put('owner', owner)
end
if not state then
  put('createdAt', now)
  for field, value in pairs(change.create) do put(field, value) end
end

local newState = change.fields.state or state
local ends = newState == 'completed' or newState == 'failed' or newState == 'cancelled' or newState == 'discarded'
-- Of what came to nothing before a byte of it was stored there is little to ask.
local retentionMs = change.emptyRetentionMs and event.received == '0' and change.emptyRetentionMs or change.retentionMs
if ends then put('expiresAt', tonumber(now) + retentionMs) end
-- Somebody else goes on with it, or ends it: whoever wrote its files until now may write some more before it hears of that.
local overtaken = (state == 'receiving' and (change.fields.receipt or (ends and not change.receipt))) or (state == 'processing' and ends and not change.attempt)
if overtaken or change.clean or (change.mint and state == 'processing') then
  strewn = '1'
  put('strewn', strewn)
end
redis.call('HSET', key, unpack(set))
if change.drop then redis.call('HDEL', key, unpack(change.drop)) end
if not state then redis.call('SET', publicKey, change.id) end
if ends then
  -- Expired ones answer as gone for as long again, then as unknown.
  redis.call('PEXPIRE', key, 2 * retentionMs)
  redis.call('PEXPIRE', publicKey, 2 * retentionMs)
  countUntil(change.id, owner, tonumber(now) + 2 * retentionMs)
elseif final then
  redis.call('PERSIST', key)
  redis.call('PERSIST', publicKey)
end
if not ends and (final or not state) then countWhileOpen(change.id, owner) end
if newState == 'queued' then
  enterQueue(change.id, change.fields.address, change.first)
  -- One that is handed back takes the place again that it had left.
  if state == 'processing' then countDrained(-1) end
elseif state == 'queued' then
  leaveQueue(change.id, address)
  countDrained(1)
  redis.call('HDEL', key, 'address')
end

if change.fields.deleted or newState == 'cancelled' or newState == 'discarded' or (ends and strewn) then
  redis.call('ZADD', dueKey, now, change.id)
elseif ends then
  redis.call('ZADD', dueKey, tonumber(now) + retentionMs, change.id)
elseif newState == 'receiving' then
  local silenceMs = tonumber(change.fields.silence or was[10] or '') or change.silenceMs
  redis.call('ZADD', dueKey, tonumber(now) + silenceMs, change.id)
elseif newState == 'processing' then
  if change.mint then redis.call('ZADD', dueKey, tonumber(now) + change.silenceMs, change.id) end
else
  redis.call('ZREM', dueKey, change.id)
end

if change.retryable then
  redis.call('ZADD', failedKey, now, change.id)
  redis.call('ZREMRANGEBYSCORE', failedKey, '-inf', tonumber(now) - change.retentionMs)
elseif state == 'failed' then
  redis.call('ZREM', failedKey, change.id)
end

tell(change.id, event)
if change.calledOut then redis.call('PUBLISH', change.calledOut, change.id) end
return answer('ok', change.wantsRecord)
`;
