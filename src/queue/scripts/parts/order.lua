-- The order in which the waiting uploads of one kind are taken: start-time fair queueing.
--
-- A flow is a tenant with a lane. Each flow has a line, in which its uploads wait first in, first out, and as many
-- places as uploads. A place has a virtual start time: the later of the virtual time now and the end of the place
-- before it in the same flow. A place lasts 1 / weight. All places of a kind are in one sorted set. Its first place is
-- used next, by the first upload of its flow. The virtual time is the start of the last place that was used.
-- If an upload leaves the line unprocessed, its flow loses its last place. So cancelled uploads cost nothing.
-- Each step takes logarithmic time.
--
-- An upload is described by the fields kind, tenant, lane and weight of its record, here named `of`. Needs the local
-- fairPrefix.

-- A place of the lane `batch` lasts as long as 10 places of the lane `live` of the same tenant.
local BATCH_SHARE = 0.1

local function given(value, default)
  if value and value ~= '' then return value end
  return default
end

local function kindOf(of) return given(of.kind, 'other') end
local function tenantOf(of) return given(of.tenant, 'default') end
local function weightOf(of) return tonumber(given(of.weight, '1')) or 1 end
local function flowOf(of) return tenantOf(of) .. ' ' .. given(of.lane, 'live') end

-- Reads the fields by which an upload is placed. `state` and `address` come with them.
local function placedBy(recordKey)
  local names, of = { 'kind', 'tenant', 'lane', 'weight', 'state', 'address' }, {}
  for index, value in ipairs(redis.call('HMGET', recordKey, unpack(names))) do of[names[index]] = value or nil end
  return of
end

-- Returns a number with all its digits.
local function exact(number) return string.format('%.17g', number) end

local function orderKey(kind) return fairPrefix .. 'order:' .. kind end
local function clockKey(kind) return fairPrefix .. 'clock:' .. kind end
local function placesKey(kind, flow) return fairPrefix .. 'places:' .. kind .. ':' .. flow end
local function lineKey(kind, flow) return fairPrefix .. 'line:' .. kind .. ':' .. flow end
local function pausedKey(kind) return fairPrefix .. 'paused:' .. kind end

-- Returns the score at an index of a sorted set, or nil.
local function scoreAt(key, index)
  local score = redis.call('ZRANGE', key, index, index, 'WITHSCORES')[2]
  return score and tonumber(score)
end

-- The virtual time begins again at 0 when nothing waits, so it cannot grow without limit.
local function resetIfEmpty(kind)
  if redis.call('EXISTS', orderKey(kind)) == 0 then redis.call('DEL', clockKey(kind)) end
end

-- Puts an upload at the end of its line, or before all others.
local function enterLine(id, of, isFirst)
  local kind, flow, length = kindOf(of), flowOf(of), 1 / weightOf(of)
  if given(of.lane, 'live') == 'batch' then length = length / BATCH_SHARE end
  local order, clock, places, line = orderKey(kind), clockKey(kind), placesKey(kind, flow), lineKey(kind, flow)
  local now, paid = unpack(redis.call('HMGET', clock, 'now', 'paid ' .. flow))
  local start, at
  if isFirst then
    local first, head = scoreAt(order, 0), scoreAt(line, 0)
    start = first and first - 1 or tonumber(now or '0')
    at = head and head - 1 or 0
  else
    local last, tail = scoreAt(places, -1), scoreAt(line, -1)
    start = math.max(tonumber(now or '0'), tonumber(paid or '0'), last and last + length or 0)
    at = tail and tail + 1 or 0
  end
  -- Places with the same start are used in the order in which they were added.
  local number = string.format('%015d', redis.call('HINCRBY', clock, 'number', 1))
  redis.call('HSET', clock, 'length ' .. flow, exact(length))
  redis.call('ZADD', order, exact(start), number .. ' ' .. flow)
  redis.call('ZADD', places, exact(start), number)
  redis.call('ZADD', line, exact(at), id)
end

-- Removes an upload that will not be processed now. Returns false if it was in no line.
local function leaveLine(id, of)
  local kind, flow = kindOf(of), flowOf(of)
  if redis.call('ZREM', lineKey(kind, flow), id) == 0 then return false end
  local number = redis.call('ZRANGE', placesKey(kind, flow), -1, -1)[1]
  if number then
    redis.call('ZREM', placesKey(kind, flow), number)
    redis.call('ZREM', orderKey(kind), number .. ' ' .. flow)
  end
  resetIfEmpty(kind)
  return true
end

-- Uses the first place. Returns the upload that it belongs to, which is then in no line, or nil if no place is left.
local function takeFirst(kind)
  local order, clock = orderKey(kind), clockKey(kind)
  local place, start = unpack(redis.call('ZRANGE', order, 0, 0, 'WITHSCORES'))
  if not place then return nil end
  local number, flow = string.match(place, '^(%d+) (.*)$')
  local id = redis.call('ZRANGE', lineKey(kind, flow), 0, 0)[1]
  redis.call('ZREM', order, place)
  redis.call('ZREM', placesKey(kind, flow), number)
  if id then redis.call('ZREM', lineKey(kind, flow), id) end
  local now, paid, length = unpack(redis.call('HMGET', clock, 'now', 'paid ' .. flow, 'length ' .. flow))
  local finish = tonumber(start) + tonumber(length or '1')
  redis.call(
    'HSET', clock, 'now', exact(math.max(tonumber(now or '0'), tonumber(start))),
    'paid ' .. flow, exact(math.max(tonumber(paid or '0'), finish))
  )
  resetIfEmpty(kind)
  -- False stands for a place without an upload.
  return id or false
end

-- Returns the 0-based position of a waiting upload. An upload that pauses comes after all that do not.
local function positionOf(id, of)
  local kind, flow = kindOf(of), flowOf(of)
  local index = redis.call('ZRANK', lineKey(kind, flow), id)
  local number = index and redis.call('ZRANGE', placesKey(kind, flow), index, index)[1]
  local rank = number and redis.call('ZRANK', orderKey(kind), number .. ' ' .. flow)
  if rank then return rank end
  local paused = redis.call('ZRANK', pausedKey(kind), id)
  return paused and redis.call('ZCARD', orderKey(kind)) + paused or nil
end
