/**
 * The commonest change, progress of an attempt: the guards and the effects that `RECORD_SCRIPT` has for it, and
 * nothing of the rest. It runs for every step of every worker, and most of what the other costs is its being fit
 * for all changes.
 *
 * KEYS  1 record, 2 event stream
 * ARGV  1 now in ms, 2 id, 3 nonce, 4 attempt, 5 sequence, 6 percent, 7 stage, 8 event stream length,
 *       9 now with its fractions of a ms, 10 and 11 as 6 and 7 of `RECORD_SCRIPT`
 *
 * Returns what `RECORD_SCRIPT` returns.
 */
export const ADVANCE_SCRIPT = `
local key = KEYS[1]
local was = redis.call('HMGET', key, 'state', 'version', 'percent', 'attempt', 'sequence', 'nonce', 'deleted', 'publicId', 'attemptBase', 'received', 'total', 'phaseStartedAt', 'phasePercent', 'stored')
local state = was[1]

local function refuse(word)
  local reply = { word, was[2] }
  for _, part in ipairs(redis.call('HGETALL', key)) do reply[#reply + 1] = part end
  return reply
end

if not state then return { 'missing', '0' } end
if was[6] == ARGV[3] then return { 'ok', was[2] } end
if was[7] == '1' then return refuse('deleted') end
if state ~= 'processing' then
  if state ~= 'completed' and state ~= 'failed' and state ~= 'cancelled' and state ~= 'discarded' then return refuse('state') end
  local expiresAt = tonumber(redis.call('HGET', key, 'expiresAt') or '')
  return refuse(expiresAt and expiresAt <= tonumber(ARGV[1]) and 'expired' or 'final')
end
if was[4] ~= ARGV[4] or tonumber(ARGV[5]) <= tonumber(was[5] or '0') then return refuse('fenced') end

local version, percent = tostring(tonumber(was[2]) + 1), was[3]
if tonumber(ARGV[6]) > tonumber(percent) then percent = ARGV[6] end
redis.call('HSET', key, 'version', version, 'updatedAt', ARGV[1], 'nonce', ARGV[3], 'sequence', ARGV[5], 'percent', percent, 'stage', ARGV[7])
local tale = {
  publicId = was[8], state = state, version = version, percent = percent, stage = ARGV[7], received = was[10], total = was[11],
  attempt = was[4], attemptBase = was[9] or nil, updatedAt = ARGV[1], phaseStartedAt = was[12] or nil, phasePercent = was[13] or nil,
  stored = was[14] or nil, deleted = was[7] or nil, at = ARGV[9],
}
local told = cjson.encode(tale)
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[8], '*', 'event', 'progress', 'jobId', ARGV[2], 'data', told)
if ARGV[10] then redis.call(ARGV[10], ARGV[11], told) end
return { 'ok', version }
`;
