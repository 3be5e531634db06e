-- Progress of an attempt. It runs for every step of every worker, so it has the guards and the effects of the part `record`
-- that it needs, and nothing of the rest.
-- KEYS and ARGV 1 to 6 are those of the part `record`.
-- ARGV  7 attempt, 8 sequence, 9 percent, 10 stage
--- @include "../../queue/scripts/parts/time"
local key = KEYS[1]
local id, nonce = ARGV[1], ARGV[2]
local preciseNow = nowMs()
local now = string.format('%d', preciseNow)
local was = redis.call('HMGET', key, 'state', 'version', 'percent', 'attempt', 'sequence', 'nonce', 'deleted', 'publicId', 'attemptBase', 'received', 'total', 'phaseStartedAt', 'phasePercent', 'stored')
local state = was[1]

local function refuse(word)
  local reply = { word, was[2] }
  for _, part in ipairs(redis.call('HGETALL', key)) do reply[#reply + 1] = part end
  return reply
end

if not state then return { 'missing', '0' } end
if was[6] == nonce then return { 'ok', was[2] } end
if was[7] == '1' then return refuse('deleted') end
if state ~= 'processing' then
  if state ~= 'completed' and state ~= 'failed' and state ~= 'cancelled' and state ~= 'discarded' then return refuse('state') end
  local expiresAt = tonumber(redis.call('HGET', key, 'expiresAt') or '')
  return refuse(expiresAt and expiresAt <= tonumber(now) and 'expired' or 'final')
end
if was[4] ~= ARGV[7] or tonumber(ARGV[8]) <= tonumber(was[5] or '0') then return refuse('fenced') end

local version, percent = tostring(tonumber(was[2]) + 1), was[3]
if tonumber(ARGV[9]) > tonumber(percent) then percent = ARGV[9] end
redis.call('HSET', key, 'version', version, 'updatedAt', now, 'nonce', nonce, 'sequence', ARGV[8], 'percent', percent, 'stage', ARGV[10])
local tale = {
  publicId = was[8], state = state, version = version, percent = percent, stage = ARGV[10], received = was[10], total = was[11],
  attempt = was[4], attemptBase = was[9] or nil, updatedAt = now, phaseStartedAt = was[12] or nil, phasePercent = was[13] or nil,
  stored = was[14] or nil, deleted = was[7] or nil, at = string.format('%.3f', preciseNow),
}
local told = cjson.encode(tale)
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[3], '*', 'event', 'progress', 'jobId', id, 'data', told)
if ARGV[5] ~= '' then redis.call(ARGV[5], ARGV[6], told) end
return { 'ok', version }
