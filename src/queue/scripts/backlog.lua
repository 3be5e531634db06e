-- KEYS  1 waiting set, 2 waiting by address, 3 drained, 4 prefix of the keys of the order
-- ARGV  1 client address or empty
-- Returns the number of waiting uploads, that of the address, the number of uploads drained lately, the seconds of that
-- period, and each kind with its number of waiting uploads.
local waitingKey, byAddressKey, drainedKey, fairPrefix = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
--- @include "parts/waiting"
local period, oldest, drained = currentPeriod(), nil, 0
local counts = redis.call('HGETALL', drainedKey)
for index = 1, #counts, 2 do
  local since = tonumber(counts[index])
  if since > period - PERIODS then
    drained = drained + tonumber(counts[index + 1])
    if not oldest or since < oldest then oldest = since end
  end
end
local seconds = oldest and (period - oldest + 1) * PERIOD_SECONDS or 0
local ofAddress = ARGV[1] == '' and 0 or tonumber(redis.call('HGET', byAddressKey, ARGV[1]) or '0')
local reply = { redis.call('ZCARD', waitingKey), ofAddress, math.max(0, drained), seconds }
for _, kind in ipairs(redis.call('SMEMBERS', kindsKey())) do
  reply[#reply + 1] = kind
  reply[#reply + 1] = redis.call('ZCARD', orderKey(kind)) + redis.call('ZCARD', pausedKey(kind))
end
return reply
