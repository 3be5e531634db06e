-- How the waiting set makes room: who gives way, who takes the place and how many wait is one decision.
-- Needs the part `record`.

-- So many at most give way to one, so that a capacity that was lowered far does not hold up Redis.
local MOST_AT_ONCE = 100

local discarded = {}

-- Ends one that waits, as a change of its own would. One that does not wait any more only loses its place.
local function evict(victimId, retentionMs)
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

-- Why no more may wait; nil if one more may. The limits are JSON, empty for no bounds: capacity, discards, address, perAddress.
local function lackOfCapacity(limitsJson)
  if limitsJson == '' then return nil end
  local limits = cjson.decode(limitsJson)
  if limits.address and tonumber(redis.call('HGET', byAddressKey, limits.address) or '0') >= limits.perAddress then return 'quota' end
  if redis.call('ZCARD', waitingKey) >= limits.capacity and not limits.discards then return 'full' end
end

-- Discards the oldest ones if one more would be too many.
local function evictOldest(limitsJson, retentionMs)
  if limitsJson == '' then return end
  local excess = redis.call('ZCARD', waitingKey) - cjson.decode(limitsJson).capacity + 1
  if excess <= 0 then return end
  for _, oldest in ipairs(redis.call('ZRANGE', waitingKey, 0, math.min(excess, MOST_AT_ONCE) - 1)) do evict(oldest, retentionMs) end
end
