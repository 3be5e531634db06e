-- Limits the waiting set. Counting, evicting and entering are one atomic decision.
-- Needs the part `record`.

-- Maximum number of evictions in one call, so that a capacity that was lowered a lot does not block Redis.
local MOST_AT_ONCE = 100

local discarded = {}

-- Ends a waiting upload as discarded. If the record is not queued, only its place in the set is removed.
local function evict(victimId, retentionMs)
  local victim = beside(key, victimId)
  local had = redis.call('HMGET', victim, unpack(eventNames))
  local victimEvent = {}
  for index, name in ipairs(eventNames) do if had[index] then victimEvent[name] = had[index] end end
  local of = placedBy(victim)
  leaveQueue(victimId, of, of.address)
  if victimEvent.state ~= 'queued' then return end
  local expiresAt = string.format('%d', tonumber(now) + retentionMs)
  local tenant, hooks, fencingToken = unpack(redis.call('HMGET', victim, 'tenant', 'hooks', 'receipt'))
  tenant = tenant or nil
  local isVictimReported = hasEndpoints or hooks == '1'
  local before = { tenant = tenant, state = 'queued', stored = victimEvent.stored, received = victimEvent.received }
  if tenant then changeUse(victimId, before, { tenant = tenant, state = 'discarded', expiresAt = expiresAt }) end
  victimEvent.state, victimEvent.stage, victimEvent.stored = 'discarded', 'done', '0'
  local version = tonumber(victimEvent.version)
  victimEvent.version = isVictimReported and versionOfEnd('discarded', version, fencingToken) or digits(version + 1)
  victimEvent.updatedAt = now
  redis.call(
    'HSET', victim, 'state', 'discarded', 'stage', 'done', 'stored', '0', 'version', victimEvent.version,
    'updatedAt', now, 'expiresAt', expiresAt
  )
  redis.call('HDEL', victim, 'variants', 'address')
  if isVictimReported then sendWebhook('discarded', victim) end
  redis.call('PEXPIRE', victim, 2 * retentionMs)
  redis.call('PEXPIRE', publicPrefix .. victimEvent.publicId, 2 * retentionMs)
  countUntil(victimId, redis.call('HGET', victim, 'owner') or '', tonumber(now) + 2 * retentionMs)
  redis.call('ZADD', dueKey, now, victimId)
  publish(victimId, victimEvent)
  discarded[#discarded + 1] = victimId
end

-- Returns the limits of the queue, or nil: capacity, discards, address, perAddress.
local function decodeLimits(json) return json ~= '' and cjson.decode(json) or nil end

-- Returns the rejection if the upload may not wait, or nil.
local function lackOfCapacity(limits)
  if not limits then return nil end
  local ofAddress = limits.address and tonumber(redis.call('HGET', byAddressKey, limits.address) or '0')
  if ofAddress and ofAddress >= limits.perAddress then return 'quota' end
  if redis.call('ZCARD', waitingKey) >= limits.capacity and not limits.discards then return 'full' end
end

-- Returns the oldest upload of the tenant that has the most waiting uploads in relation to its weight.
local function nextVictim()
  local oldest, age
  if redis.call('ZCARD', overShareKey()) > 1 then
    local tenant = redis.call('ZREVRANGE', overShareKey(), 0, 0)[1]
    for _, kind in ipairs(redis.call('SMEMBERS', kindsKey())) do
      for _, lane in ipairs({ 'live', 'batch' }) do
        local first = redis.call('ZRANGE', lineKey(kind, tenant .. ' ' .. lane), 0, 0)[1]
        local since = first and tonumber(redis.call('ZSCORE', waitingKey, first))
        if since and (not age or since < age) then oldest, age = first, since end
      end
    end
  end
  return oldest or redis.call('ZRANGE', waitingKey, 0, 0)[1]
end

-- Evicts uploads if one more would exceed the capacity.
local function evictOldest(limits, retentionMs)
  -- If the queue does not evict, it has a free place here, see `lackOfCapacity`.
  if not limits or not limits.discards then return end
  local excess = redis.call('ZCARD', waitingKey) - limits.capacity + 1
  for _ = 1, math.min(excess, MOST_AT_ONCE) do evict(nextVictim(), retentionMs) end
end

-- The reply for an upload that waits now, with the ids of evicted uploads. If given, `fields` are returned instead of
-- the whole record.
local function answerQueued(fields)
  local reply = answerWaiting(true, fields)
  if #discarded > 0 then
    reply[#reply + 1] = 'discarded'
    reply[#reply + 1] = table.concat(discarded, ' ')
  end
  return reply
end
