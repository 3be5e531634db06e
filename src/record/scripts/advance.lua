-- Reports the progress of an attempt, and adds stored variants, which may be served from now on. This is the most
-- frequent script, so it has its own copy of the guards and effects that it needs, instead of the whole part `record`.
-- KEYS and ARGV 1 to 6: as in the part `record`.
-- ARGV  7 attempt, 8 sequence, 9 percent, 10 stage, 11 new variants by name as JSON, or empty
--- @include "../../queue/scripts/parts/time"
local key = KEYS[1]
local id, nonce = ARGV[1], ARGV[2]
local preciseNow = nowMs()
local now = string.format('%d', preciseNow)
local names = {
  'state', 'version', 'percent', 'attempt', 'sequence', 'nonce', 'deleted', 'publicId', 'attemptBase', 'received',
  'total', 'phaseStartedAt', 'phasePercent', 'stored', 'trace',
}
local was = {}
for index, value in ipairs(redis.call('HMGET', key, unpack(names))) do was[names[index]] = value or nil end

local function reject(rejection)
  local reply = { rejection, was.version }
  for _, part in ipairs(redis.call('HGETALL', key)) do reply[#reply + 1] = part end
  return reply
end

if not was.state then return { 'missing', '0' } end
if was.nonce == nonce then return { 'ok', was.version } end
if was.deleted == '1' then return reject('deleted') end
if was.state ~= 'processing' then
  local isFinal = was.state ~= 'receiving' and was.state ~= 'queued'
  if not isFinal then return reject('state') end
  local expiresAt = tonumber(redis.call('HGET', key, 'expiresAt') or '')
  return reject(expiresAt and expiresAt <= tonumber(now) and 'expired' or 'final')
end
if was.attempt ~= ARGV[7] or tonumber(ARGV[8]) <= tonumber(was.sequence or '0') then return reject('fenced') end

local version, percent = tostring(tonumber(was.version) + 1), was.percent
if tonumber(ARGV[9]) > tonumber(percent) then percent = ARGV[9] end
redis.call(
  'HSET', key, 'version', version, 'updatedAt', now, 'nonce', nonce,
  'sequence', ARGV[8], 'percent', percent, 'stage', ARGV[10]
)
if (ARGV[11] or '') ~= '' then
  local variants = cjson.decode(redis.call('HGET', key, 'variants') or '{}')
  for name, variant in pairs(cjson.decode(ARGV[11])) do variants[name] = variant end
  redis.call('HSET', key, 'variants', cjson.encode(variants))
end
local event = cjson.encode({
  publicId = was.publicId, state = was.state, version = version, percent = percent, stage = ARGV[10],
  received = was.received, total = was.total, attempt = was.attempt, attemptBase = was.attemptBase, updatedAt = now,
  phaseStartedAt = was.phaseStartedAt, phasePercent = was.phasePercent, stored = was.stored, deleted = was.deleted,
  trace = was.trace, at = string.format('%.3f', preciseNow),
})
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[3], '*', 'event', 'progress', 'jobId', id, 'data', event)
if ARGV[5] ~= '' then redis.call(ARGV[5], ARGV[6], event) end
return { 'ok', version }
