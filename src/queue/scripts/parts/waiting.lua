-- The waiting uploads of all kinds: adds them, removes them, and counts them by address and by tenant. Needs the locals
-- waitingKey, byAddressKey, drainedKey and fairPrefix.
--- @include "drained"
--- @include "order"

local function kindsKey() return fairPrefix .. 'kinds' end
local function spareKey() return fairPrefix .. 'spare' end
local function permitsKey(kind) return fairPrefix .. 'permits:' .. kind end
local function byTenantKey() return fairPrefix .. 'waiting-by-tenant' end
local function overShareKey() return fairPrefix .. 'over-share' end

-- Forgets which upload a permit has begun. `permit` is that field of its record, or nil.
local function forgetPermit(permit)
  local kind, permitId = string.match(permit or '', '^(%S+) (.+)$')
  if permitId then redis.call('HDEL', permitsKey(kind), permitId) end
end

-- Counts the waiting uploads of a tenant. The sorted set has the count in relation to the weight.
local function countOfTenant(of, change)
  local tenant = tenantOf(of)
  local count = redis.call('HINCRBY', byTenantKey(), tenant, change)
  if count > 0 then return redis.call('ZADD', overShareKey(), exact(count / weightOf(of)), tenant) end
  redis.call('HDEL', byTenantKey(), tenant)
  redis.call('ZREM', overShareKey(), tenant)
end

-- Adds an upload as the last one of its flow, or as the first one of all. With a pause it has no place until the pause
-- is over. The score in the waiting set is the time in ms with fractions; with a pause it is the time of the next try.
local function enterQueue(id, of, address, isFirst, pauseMs)
  local score = nowMs() + (pauseMs or 0)
  local oldest = isFirst and scoreAt(waitingKey, 0)
  if oldest then score = math.min(score, oldest - 1) end
  redis.call('SADD', kindsKey(), kindOf(of))
  if redis.call('ZADD', waitingKey, string.format('%.3f', score), id) == 1 then countOfTenant(of, 1) end
  if pauseMs then
    redis.call('ZADD', pausedKey(kindOf(of)), string.format('%.3f', score), id)
  else
    enterLine(id, of, isFirst)
  end
  if address then redis.call('HINCRBY', byAddressKey, address, 1) end
end

-- Returns false if a permit is left over from an upload that was removed, so that no new one is needed.
local function needsPermit(kind)
  if tonumber(redis.call('HGET', spareKey(), kind) or '0') <= 0 then return true end
  redis.call('HINCRBY', spareKey(), kind, -1)
  return false
end

local function leaveQueue(id, of, address)
  if redis.call('ZREM', waitingKey, id) == 1 then countOfTenant(of, -1) end
  local hadPaused = redis.call('ZREM', pausedKey(kindOf(of)), id) == 1
  if not hadPaused and leaveLine(id, of) then redis.call('HINCRBY', spareKey(), kindOf(of), 1) end
  if not address then return end
  if redis.call('HINCRBY', byAddressKey, address, -1) <= 0 then redis.call('HDEL', byAddressKey, address) end
end

-- Maximum number of uploads whose pause ends in one call; the next call handles more.
local MOST_RESUMED = 100

-- Gives places to the uploads of a kind whose pause is over. Returns the time of the next one, or nil.
local function endPauses(kind, recordPrefix)
  local now = string.format('%.3f', nowMs())
  local ids = redis.call('ZRANGEBYSCORE', pausedKey(kind), '-inf', now, 'LIMIT', 0, MOST_RESUMED)
  for _, id in ipairs(ids) do
    redis.call('ZREM', pausedKey(kind), id)
    local of = placedBy(recordPrefix .. id)
    if of.state == 'queued' then enterLine(id, of) end
  end
  return scoreAt(pausedKey(kind), 0)
end
