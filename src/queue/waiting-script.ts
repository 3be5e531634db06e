/** A rate is told from so many stretches of so many seconds. */
const STRETCHES = 12;
const STRETCH_SECONDS = 5;

/**
 * The time in milliseconds by the clock of Redis, with fractions: the clocks of the machines that call may differ.
 * `redis.call('TIME')` returns the same within one script.
 */
export const TIME_FUNCTIONS = `
local function nowMs()
  local time = redis.call('TIME')
  return time[1] * 1000 + time[2] / 1000
end
`;

/**
 * What every script shares that changes the waiting set: who enters and who leaves, whose they are, and how fast
 * they go. To be put before a script that has the locals `waitingKey`, `byAddressKey` and `drainedKey`. The time is that
 * of Redis, to the microsecond: the clocks of the machines that call differ, and two uploads of one millisecond have an order too.
 */
export const WAITING_FUNCTIONS = `
${TIME_FUNCTIONS}
local function stretchNow() return math.floor(nowMs() / ${STRETCH_SECONDS * 1000}) end

local function countDrained(change)
  local stretch = stretchNow()
  -- The first of its stretch clears up after those that are over.
  if redis.call('HINCRBY', drainedKey, stretch, change) ~= change then return end
  for _, old in ipairs(redis.call('HKEYS', drainedKey)) do
    if tonumber(old) <= stretch - ${STRETCHES} then redis.call('HDEL', drainedKey, old) end
  end
  redis.call('EXPIRE', drainedKey, ${STRETCHES * STRETCH_SECONDS})
end

-- Last, or before all others, where BullMQ puts a job that was handed back.
local function enterQueue(id, address, first)
  local oldest = first and redis.call('ZRANGE', waitingKey, 0, 0, 'WITHSCORES')[2]
  redis.call('ZADD', waitingKey, oldest and tonumber(oldest) - 1 or nowMs(), id)
  if address then redis.call('HINCRBY', byAddressKey, address, 1) end
end

local function leaveQueue(id, address)
  redis.call('ZREM', waitingKey, id)
  if address and redis.call('HINCRBY', byAddressKey, address, -1) <= 0 then redis.call('HDEL', byAddressKey, address) end
end
`;

/**
 * Takes out of the waiting set what does not wait: the record, which is the truth, says otherwise.
 *
 * KEYS  1 waiting set, 2 waiting by address
 * ARGV  1 prefix of the records' keys, which bears the same hash tag, 2 … ids
 *
 * Returns the ids taken out.
 */
export const STRIKE_SCRIPT = `
local waitingKey, byAddressKey = KEYS[1], KEYS[2]
${WAITING_FUNCTIONS}
local struck = {}
for index = 2, #ARGV do
  local state = redis.call('HGET', ARGV[1] .. ARGV[index], 'state')
  if state ~= 'queued' then
    leaveQueue(ARGV[index], redis.call('HGET', ARGV[1] .. ARGV[index], 'address'))
    struck[#struck + 1] = ARGV[index]
  end
end
return struck
`;

/**
 * KEYS  1 waiting set, 2 waiting by address, 3 drained
 * ARGV  1 client address, empty for none
 *
 * Returns how many wait, how many of them are the address's, how many have drained lately, and in how many seconds.
 */
export const BACKLOG_SCRIPT = `
local waitingKey, byAddressKey, drainedKey = KEYS[1], KEYS[2], KEYS[3]
${WAITING_FUNCTIONS}
local stretch, oldest, drained = stretchNow(), nil, 0
local counts = redis.call('HGETALL', drainedKey)
for index = 1, #counts, 2 do
  local since = tonumber(counts[index])
  if since > stretch - ${STRETCHES} then
    drained = drained + tonumber(counts[index + 1])
    if not oldest or since < oldest then oldest = since end
  end
end
local seconds = oldest and (stretch - oldest + 1) * ${STRETCH_SECONDS} or 0
local ofAddress = ARGV[1] == '' and 0 or tonumber(redis.call('HGET', byAddressKey, ARGV[1]) or '0')
return { redis.call('ZCARD', waitingKey), ofAddress, math.max(0, drained), seconds }
`;
