-- Chooses the upload for a permit, and sets the keys and arguments of the part `record` for it. Include it before that
-- part. `picked` is nil if no upload waits.
-- KEYS  1 prefix of record keys; the others as in the part `record`
-- ARGV  1 empty, 6 prefix of the channel or empty, 11 kind, 12 id of the permit, 13 id of the permit that it replaces,
--       or empty; the others as in the part `record` and in `begin`
local recordPrefix = KEYS[1]
local waitingKey, byAddressKey, drainedKey, fairPrefix = KEYS[2], KEYS[5], KEYS[6], KEYS[11]
--- @include "../../../queue/scripts/parts/waiting"

-- Maximum number of stale ids that one call skips.
local MOST_SKIPPED = 1000

-- Returns the upload that the permit has begun, if its attempt has not ended. Its worker has died or lost its lock.
local function begunBy(kind, permit)
  local begun = permit ~= '' and redis.call('HGET', permitsKey(kind), permit)
  if not begun then return nil end
  local state, by = unpack(redis.call('HMGET', recordPrefix .. begun, 'state', 'permit'))
  if state == 'processing' and by == kind .. ' ' .. permit then return begun end
  redis.call('HDEL', permitsKey(kind), permit)
end

local pausedUntil
local function firstOf(kind)
  pausedUntil = endPauses(kind, recordPrefix)
  for _ = 1, MOST_SKIPPED do
    local first = takeFirst(kind)
    if first == nil then return nil end
    local of = first and placedBy(recordPrefix .. first)
    if of and of.state == 'queued' then return first end
    if of then leaveQueue(first, of, of.address) end
  end
end

local picked
do
  local kind, permit, replaced = ARGV[11], ARGV[12], ARGV[13]
  picked = begunBy(kind, permit) or begunBy(kind, replaced) or firstOf(kind)
  -- A permit that finds no upload was a spare one and is used up. If an upload pauses, the permit comes back later.
  if not picked and not pausedUntil then needsPermit(kind) end
end
if picked then
  KEYS[1], ARGV[1] = recordPrefix .. picked, picked
  if ARGV[6] ~= '' then ARGV[6] = ARGV[6] .. picked end
end
