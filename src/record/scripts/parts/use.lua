-- Counts what each tenant uses, and lists its uploads. The counts change only together with a record, by the difference
-- between the record before and after. So they are right for every end of an upload. Uploads of open mode have no
-- tenant and are not counted. Needs the local tenantPrefix. The keys below it have the same hash tag:
--   use            hash `<tenant>:<name>` to a count of now: receiving, reserved, waiting, stored
--   ends           sorted set of `<id> <tenant> <stored bytes>`; the score is the time at which the upload expires
--   day:<number>   hash `<tenant>:<name>` to a count of one day in UTC: uploads, bytes
--   minute:<number>  hash of the tenant to the uploads that it created in one minute
--   uploads:<tenant>  sorted set of its uploads by creation time
--   ticket:<name>  set of the uploads that were created with a ticket
--- @include "../../../queue/scripts/parts/time"
local useKey, endsKey = tenantPrefix .. ':use', tenantPrefix .. ':ends'
local MINUTE_MS, DAY_MS = 60000, 86400000

-- Maximum number of expired uploads whose bytes one call gives back; the next call continues.
local ENDED_AT_ONCE = 1000

local USE_NAMES = { 'receiving', 'reserved', 'waiting' }
local ENDED = { completed = true, failed = true, cancelled = true, discarded = true }

-- Numbers of more than 14 digits would otherwise become `1e+15`.
local function digits(number) return string.format('%.0f', number) end
local function numberAt(period) return digits(math.floor(nowMs() / period)) end
local function dayKey() return tenantPrefix .. ':day:' .. numberAt(DAY_MS) end
local function minuteKey() return tenantPrefix .. ':minute:' .. numberAt(MINUTE_MS) end
local function uploadsKey(tenant) return tenantPrefix .. ':uploads:' .. tenant end
local function ticketKey(ticket) return tenantPrefix .. ':ticket:' .. ticket end

local function addUse(tenant, name, change)
  if change == 0 then return end
  local field = tenant .. ':' .. name
  if redis.call('HINCRBY', useKey, field, digits(change)) <= 0 then redis.call('HDEL', useKey, field) end
end

-- Counts an accepted upload for the present day.
local function countDay(tenant, bytes)
  local counted = redis.call('HINCRBY', dayKey(), tenant .. ':uploads', 1)
  redis.call('HINCRBY', dayKey(), tenant .. ':bytes', digits(bytes))
  if counted == 1 then redis.call('PEXPIRE', dayKey(), digits(2 * DAY_MS)) end
end

local function countMinute(tenant)
  local counted = redis.call('HINCRBY', minuteKey(), tenant, 1)
  if counted == 1 then redis.call('PEXPIRE', minuteKey(), digits(2 * MINUTE_MS)) end
end

-- Returns what an upload adds to the use of its tenant; without `tenant` if it adds nothing. A deleted upload has no
-- files. An upload with `uncounted` was rejected when it opened.
local function useOf(id, upload)
  local tenant = upload.tenant or ''
  if tenant == '' or upload.deleted == '1' or not upload.state then
    return { receiving = 0, reserved = 0, waiting = 0, stored = 0 }
  end
  local isReceiving = upload.state == 'receiving' and upload.uncounted ~= '1'
  local stored = upload.stored == '1' and tonumber(upload.received) or 0
  local isEnded = ENDED[upload.state] == true
  return {
    tenant = tenant,
    receiving = isReceiving and 1 or 0,
    reserved = isReceiving and tonumber(upload.total or '') or 0,
    waiting = upload.state == 'queued' and 1 or 0,
    stored = stored,
    isEnded = isEnded,
    ending = (stored > 0 or isEnded) and id .. ' ' .. tenant .. ' ' .. digits(stored) or nil,
    endsAt = isEnded and upload.expiresAt or '+inf',
  }
end

local function addEnding(use)
  if redis.call('ZADD', endsKey, use.endsAt, use.ending) == 1 then addUse(use.tenant, 'stored', use.stored) end
end

local function removeEnding(tenant, ending, bytes)
  if redis.call('ZREM', endsKey, ending) == 1 then addUse(tenant, 'stored', -bytes) end
end

-- Applies the difference between two states of an upload. Returns true if it has to be listed.
local function changeUse(id, before, after)
  local old, new = useOf(id, before), useOf(id, after)
  for _, name in ipairs(USE_NAMES) do
    if old.tenant == new.tenant and new.tenant then addUse(new.tenant, name, new[name] - old[name])
    else
      if old.tenant then addUse(old.tenant, name, -old[name]) end
      if new.tenant then addUse(new.tenant, name, new[name]) end
    end
  end
  if old.ending and old.ending ~= new.ending then removeEnding(old.tenant, old.ending, old.stored) end
  if new.ending and (old.ending ~= new.ending or old.endsAt ~= new.endsAt) then addEnding(new) end
  if old.tenant and old.tenant ~= new.tenant then redis.call('ZREM', uploadsKey(old.tenant), id) end
  return new.tenant ~= nil and (old.tenant ~= new.tenant or old.isEnded == true)
end

-- Gives back the bytes of expired uploads, and removes them from the lists.
local function giveBackEnded()
  local ended = redis.call('ZRANGEBYSCORE', endsKey, '-inf', digits(nowMs()), 'LIMIT', 0, ENDED_AT_ONCE)
  for _, ending in ipairs(ended) do
    local id, tenant, bytes = string.match(ending, '^(%S+) (%S+) (%d+)$')
    redis.call('ZREM', uploadsKey(tenant), id)
    removeEnding(tenant, ending, tonumber(bytes))
  end
end

local NOW_NAMES, DAY_NAMES = { 'receiving', 'reserved', 'waiting', 'stored' }, { 'uploads', 'bytes' }

local function readCounts(use, key, tenant, names)
  local fields = {}
  for index, name in ipairs(names) do fields[index] = tenant .. ':' .. name end
  local counts = redis.call('HMGET', key, unpack(fields))
  for index, name in ipairs(names) do use[name] = tonumber(counts[index] or '0') end
end

-- Returns the counts of a tenant.
local function readUse(tenant)
  giveBackEnded()
  local use = { created = tonumber(redis.call('HGET', minuteKey(), tenant) or '0') }
  readCounts(use, useKey, tenant, NOW_NAMES)
  readCounts(use, dayKey(), tenant, DAY_NAMES)
  return use
end
