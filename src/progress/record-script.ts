/**
 * The one door through which a record changes, run by Redis as a single step: the guards
 * decide, the hash moves, the waiting set follows and the event goes out on BullMQ's own stream,
 * so that there is never a change without its event nor an event without its change.
 *
 * KEYS  1 record, 2 waiting set, 3 event stream, 4 due set
 * ARGV  1 now in ms, 2 the change as JSON (`RecordChange`), 3 event stream length,
 *       4 prefix of the public id's key, which bears the same hash tag, 5 now with its fractions of a ms
 *
 * Returns `{ 'ok', version, field, value, … }` (fields only where the change asks for the record)
 * or `{ reason, field, value, … }` with a reason of `Refusal`.
 */
export const RECORD_SCRIPT = `
local key, waitingKey, eventsKey, dueKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local now, change = ARGV[1], cjson.decode(ARGV[2])

local function answer(word, withFields)
  local reply = { word, redis.call('HGET', key, 'version') or '0' }
  if withFields then
    for _, part in ipairs(redis.call('HGETALL', key)) do reply[#reply + 1] = part end
  end
  return reply
end

local was = redis.call('HMGET', key, 'state', 'version', 'percent', 'attempt', 'sequence', 'receipt', 'nonce', 'deleted', 'variants', 'publicId', 'attemptBase', 'expiresAt')
local state, percent, attempt, sequence = was[1], tonumber(was[3] or '0'), tonumber(was[4] or '0'), tonumber(was[5] or '0')
local publicKey = ARGV[4] .. (was[10] or (change.create and change.create.publicId) or '')
local final = state == 'completed' or state == 'failed' or state == 'cancelled' or state == 'discarded'

-- A reply that was lost with its connection makes the client send the same change again.
if state and was[7] == change.nonce then return answer('ok', change.wantsRecord) end

if not state then
  if not change.create then return { 'missing', '0' } end
else
  if was[8] == '1' then return answer('deleted', true) end
  if final and was[12] and tonumber(was[12]) <= tonumber(now) then return answer('expired', true) end
  if change.version and change.version ~= tonumber(was[2]) then return answer('fenced', true) end
  if change.receipt and change.receipt ~= was[6] then return answer('fenced', true) end
  if not change.from[state] then return answer(final and 'final' or 'state', true) end
  if change.attempt and change.attempt ~= attempt then return answer('fenced', true) end
  if change.sequence and change.sequence <= sequence then return answer('fenced', true) end
end

local set = { 'version', tostring(tonumber(was[2] or '0') + 1), 'updatedAt', now, 'nonce', change.nonce }
local function put(field, value) set[#set + 1] = field; set[#set + 1] = tostring(value) end

if change.clean then
  redis.call('HDEL', key, 'result', 'error', 'variants', 'sha256', 'type', 'expiresAt')
  redis.call('PERSIST', key)
  -- What browsers keep of the earlier life, they keep under its own public id.
  redis.call('DEL', publicKey)
  publicKey = ARGV[4] .. change.create.publicId
  redis.call('SET', publicKey, change.id)
  put('publicId', change.create.publicId)
  -- Attempts go on counting, since they fence; a new life has all of its own.
  put('attemptBase', attempt)
  percent = 0
  was[9] = false
end
if change.mint then
  if attempt - tonumber(was[11] or '0') >= change.maxAttempts then return answer('exhausted', true) end
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
  local variants = was[9] and cjson.decode(was[9]) or {}
  variants[change.variant.name] = change.variant
  put('variants', cjson.encode(variants))
end
-- A tombstone of a finished upload keeps its outcome.
if final and change.fields.deleted then change.fields.state, change.fields.stage = nil, nil end
for field, value in pairs(change.fields) do put(field, value) end
if not state then for field, value in pairs(change.create) do put(field, value) end end

local newState = change.fields.state or state
local ends = newState == 'completed' or newState == 'failed' or newState == 'cancelled' or newState == 'discarded'
if ends then put('expiresAt', tonumber(now) + change.retentionMs) end
redis.call('HSET', key, unpack(set))
if change.drop then redis.call('HDEL', key, unpack(change.drop)) end
if not state then redis.call('SET', publicKey, change.id) end
if ends then
  -- Expired ones answer as gone for as long again, then as unknown.
  redis.call('PEXPIRE', key, 2 * change.retentionMs)
  redis.call('PEXPIRE', publicKey, 2 * change.retentionMs)
end
if newState == 'queued' then
  redis.call('ZADD', waitingKey, 'NX', now, change.id)
elseif state == 'queued' then
  redis.call('ZREM', waitingKey, change.id)
end

if change.fields.deleted or newState == 'cancelled' or newState == 'discarded' then
  redis.call('ZADD', dueKey, now, change.id)
elseif ends then
  redis.call('ZADD', dueKey, tonumber(now) + change.retentionMs, change.id)
elseif newState == 'receiving' then
  local silenceMs = tonumber(redis.call('HGET', key, 'silence') or '') or change.silenceMs
  redis.call('ZADD', dueKey, tonumber(now) + silenceMs, change.id)
elseif newState == 'processing' then
  redis.call('ZADD', dueKey, tonumber(now) + change.silenceMs, change.id)
else
  redis.call('ZREM', dueKey, change.id)
end

local names = { 'publicId', 'state', 'version', 'percent', 'stage', 'received', 'total', 'attempt', 'attemptBase', 'updatedAt', 'phaseStartedAt', 'phasePercent', 'stored', 'deleted' }
local values, event = redis.call('HMGET', key, unpack(names)), {}
for index, name in ipairs(names) do if values[index] then event[name] = values[index] end end
event.at = ARGV[5]
redis.call('XADD', eventsKey, 'MAXLEN', '~', ARGV[3], '*', 'event', 'progress', 'jobId', change.id, 'data', cjson.encode(event))
if change.calledOut then redis.call('PUBLISH', change.calledOut, change.id) end
return answer('ok', change.wantsRecord)
`;
