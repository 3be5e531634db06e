import { TIME_FUNCTIONS } from '../queue/waiting-script.ts';

/**
 * The commonest change, progress of an attempt: the guards and the effects that `RECORD_SCRIPT` has for it, and
 * nothing of the rest. It runs for every step of every worker, and most of what the other costs is its being fit
 * for all changes.
 *
 * KEYS  1 record, 2 event stream
 * ARGV  1 id, 2 nonce, 3 attempt, 4 sequence, 5 percent, 6 stage, 7 event stream length,
 *       8 and 9 as 4 and 5 of `RECORD_SCRIPT`
 *
 * Returns what `RECORD_SCRIPT` returns.
 */
export const ADVANCE_SCRIPT = `${TIME_FUNCTIONS}
local preciseNow = nowMs()
local now = string.format('%d', preciseNow)
local key = KEYS[1]
local was = redis.call('HMGET', key, 'state', 'version', 'percent', 'attempt', 'sequence', 'nonce', 'deleted', 'publicId', 'attemptBase', 'received', 'total', 'phaseStartedAt', 'phasePercent', 'stored')
local state = was[1]

local function refuse(word)
  local reply = { word, was[2] }
  for _, part in ipairs(redis.call('HGETALL', key)) do reply[#reply + 1] = part end
  return reply
end

if not state then return { 'missing', '0' } end
if was[6] == ARGV[2] then return { 'ok', was[2] } end
if was[7] == '1' then return refuse('deleted') end
if state ~= 'processing' then
  if state ~= 'completed' and state ~= 'failed' and state ~= 'cancelled' and state ~= 'discarded' then return refuse('state') end
  local expiresAt = tonumber(redis.call('HGET', key, 'expiresAt') or '')
  return refuse(expiresAt and expiresAt <= tonumber(now) and 'expired' or 'final')
end
if was[4] ~= ARGV[3] or tonumber(ARGV[4]) <= tonumber(was[5] or '0') then return refuse('fenced') end

local version, percent = tostring(tonumber(was[2]) + 1), was[3]
if tonumber(ARGV[5]) > tonumber(percent) then percent = ARGV[5] end
redis.call('HSET', key, 'version', version, 'updatedAt', now, 'nonce', ARGV[2], 'sequence', ARGV[4], 'percent', percent, 'stage', ARGV[6])
local tale = {
  publicId = was[8], state = state, version = version, percent = percent, stage = ARGV[6], received = was[10], total = was[11],
  attempt = was[4], attemptBase = was[9] or nil, updatedAt = now, phaseStartedAt = was[12] or nil, phasePercent = was[13] or nil,
  stored = was[14] or nil, deleted = was[7] or nil, at = string.format('%.3f', preciseNow),
}
local told = cjson.encode(tale)
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[7], '*', 'event', 'progress', 'jobId', ARGV[1], 'data', told)
if ARGV[8] then redis.call(ARGV[8], ARGV[9], told) end
return { 'ok', version }
`;
