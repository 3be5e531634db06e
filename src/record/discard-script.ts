/** So many at most give way to one, so that a capacity that was lowered far does not hold up Redis. */
const MOST_AT_ONCE = 100;

/**
 * How the waiting set makes room: a part of `RECORD_SCRIPT`, since who gives way, who takes the place and how many
 * wait is one decision. It uses that script's locals.
 */
export const DISCARD_FUNCTIONS = `
local discarded = {}

-- Ends one that waits, as a change of its own would. One that does not wait any more only loses its place.
local function discard(id)
  local victim = beside(key, id)
  local had = redis.call('HMGET', victim, unpack(names))
  local victimEvent = {}
  for index, name in ipairs(names) do if had[index] then victimEvent[name] = had[index] end end
  leaveQueue(id, redis.call('HGET', victim, 'address'))
  if victimEvent.state ~= 'queued' then return end
  victimEvent.state, victimEvent.stage, victimEvent.stored = 'discarded', 'done', '0'
  victimEvent.version, victimEvent.updatedAt = tostring(tonumber(victimEvent.version) + 1), now
  redis.call('HSET', victim, 'state', 'discarded', 'stage', 'done', 'stored', '0', 'version', victimEvent.version, 'updatedAt', now, 'expiresAt', tonumber(now) + change.retentionMs)
  redis.call('HDEL', victim, 'variants', 'address')
  redis.call('PEXPIRE', victim, 2 * change.retentionMs)
  redis.call('PEXPIRE', ARGV[3] .. victimEvent.publicId, 2 * change.retentionMs)
  countUntil(id, redis.call('HGET', victim, 'owner') or '', tonumber(now) + 2 * change.retentionMs)
  redis.call('ZADD', dueKey, now, id)
  tell(id, victimEvent)
  discarded[#discarded + 1] = id
end

-- Whether one more may wait: says why not, or makes the room for one that enters now.
local function makeRoom(room, enters)
  if room.address and tonumber(redis.call('HGET', byAddressKey, room.address) or '0') >= room.perAddress then return 'quota' end
  local excess = redis.call('ZCARD', waitingKey) - room.capacity + 1
  if excess <= 0 then return nil end
  if not room.discards then return 'full' end
  if not enters then return nil end
  for _, id in ipairs(redis.call('ZRANGE', waitingKey, 0, math.min(excess, ${MOST_AT_ONCE}) - 1)) do discard(id) end
end
`;
