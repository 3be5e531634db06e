-- Counts records, in all and by owner. A sorted set has a member `<id> <owner>` for each record; the score is the time
-- at which Redis drops its key. So the count stays right without any cleanup. The hash of counts by owner changes only
-- together with the set. Needs the locals recordsKey and ownersKey.
--- @include "../../../queue/scripts/parts/time"

-- Maximum number of members that one call removes; the next call removes more.
local UNCOUNTED_AT_ONCE = 1000

-- An open upload that does not change for 30 days no longer counts, until it changes.
local OPEN_MS = 30 * 24 * 3600000

local function countOwner(owner, change)
  if owner == '' then return end
  if redis.call('HINCRBY', ownersKey, owner, change) <= 0 then redis.call('HDEL', ownersKey, owner) end
end

local function countUntil(id, owner, untilMs)
  if redis.call('ZADD', recordsKey, string.format('%d', untilMs), id .. ' ' .. owner) == 1 then countOwner(owner, 1) end
end

local function countWhileOpen(id, owner) countUntil(id, owner, nowMs() + OPEN_MS) end

local function uncount(id, owner)
  if redis.call('ZREM', recordsKey, id .. ' ' .. owner) == 1 then countOwner(owner, -1) end
end

local function uncountDropped()
  local now = string.format('%d', nowMs())
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', recordsKey, '-inf', now, 'LIMIT', 0, UNCOUNTED_AT_ONCE)) do
    local id, owner = string.match(member, '^(%S*) (.*)$')
    uncount(id, owner)
  end
end

-- Returns the rejection if there may not be one more record, or nil. The bounds are most, owner and mostOfOwner.
local function lackOfRecords(bounds)
  if not bounds then return nil end
  uncountDropped()
  if redis.call('ZCARD', recordsKey) >= bounds.most then return 'records' end
  if not bounds.owner then return nil end
  local ofOwner = tonumber(redis.call('HGET', ownersKey, bounds.owner) or '0')
  if ofOwner >= bounds.mostOfOwner then return 'owned' end
end
