-- How the waiting set makes room: who gives way, who takes the place and how many wait is one decision.
-- Needs the part `record`.

-- So many at most give way to one, so that a capacity that was lowered far does not hold up Redis.
local MOST_AT_ONCE = 100

local discarded = {}

-- Ends one that waits, as a change of its own would. One that does not wait any more only loses its place.
local function discard(victimId, retentionMs)
  local victim = beside(key, victimId)
  local had = redis.call('HMGET', victim, unpack(eventNames))
  local victimEvent = {}
  for index, name in ipairs(eventNames) do if had[index] then victimEvent[name] = had[index] end end
  leaveQueue(victimId, redis.call('HGET', victim, 'address'))
  if victimEvent.state ~= 'queued' then return end
  victimEvent.state, victimEvent.stage, victimEvent.stored = 'discarded', 'done', '0'
  victimEvent.version, victimEvent.updatedAt = tostring(tonumber(victimEvent.version) + 1), now
  redis.call('HSET', victim, 'state', 'discarded', 'stage', 'done', 'stored', '0', 'version', victimEvent.version, 'updatedAt', now, 'expiresAt', string.format('%d', tonumber(now) + retentionMs))
  redis.call('HDEL', victim, 'variants', 'address')
  redis.call('PEXPIRE', victim, 2 * retentionMs)
  redis.call('PEXPIRE', publicPrefix .. victimEvent.publicId, 2 * retentionMs)
  countUntil(victimId, redis.call('HGET', victim, 'owner') or '', tonumber(now) + 2 * retentionMs)
  redis.call('ZADD', dueKey, now, victimId)
  tell(victimId, victimEvent)
  discarded[#discarded + 1] = victimId
end

-- Why no more may wait; nil if one more may. `room` is JSON, empty for no bounds: capacity, discards, address, perAddress.
local function lackOfRoom(roomJson)
  if roomJson == '' then return nil end
  local room = cjson.decode(roomJson)
  if room.address and tonumber(redis.call('HGET', byAddressKey, room.address) or '0') >= room.perAddress then return 'quota' end
  if redis.call('ZCARD', waitingKey) >= room.capacity and not room.discards then return 'full' end
end

-- Discards the oldest ones if one more would be too many.
local function makeRoom(roomJson, retentionMs)
  if roomJson == '' then return end
  local excess = redis.call('ZCARD', waitingKey) - cjson.decode(roomJson).capacity + 1
  if excess <= 0 then return end
  for _, oldest in ipairs(redis.call('ZRANGE', waitingKey, 0, math.min(excess, MOST_AT_ONCE) - 1)) do discard(oldest, retentionMs) end
end
