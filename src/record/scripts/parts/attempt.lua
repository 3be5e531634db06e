-- Starts an attempt of the upload. See `begin`.
-- ARGV  7 stage, 8 limit of faults, 9 of deaths, 10 silence in ms, 11 kind of the permit, 12 id of the permit or empty
-- Returns the record, and in `waitedSince` when it was queued, unless the script runs again after a lost reply.
-- Needs the part `record`.
local function beginAttempt()
  if isRepeated() then return answer('ok', true) end
  local rejected = rejection({ queued = true, processing = true })
  if rejected then return rejected end
  local deaths = tonumber(was.deaths or '0') + (was.state == 'processing' and 1 or 0)
  local isExhausted = tonumber(was.faults or '0') >= tonumber(ARGV[8]) or deaths >= tonumber(ARGV[9])
  if isExhausted then return answer('exhausted', true) end
  putChange()
  put('deaths', deaths)
  put('attempt', tonumber(was.attempt or '0') + 1)
  if was.fetches then
    -- Fetches were counted as attempts, see `begin-fetch`.
    put('attemptBase', tonumber(was.attemptBase or '0') + 1)
    redis.call('HDEL', key, 'fetches')
  end
  put('sequence', 0)
  put('state', 'processing')
  put('stage', ARGV[7])
  if was.state == 'processing' then putMayHaveOrphans() end
  putPhase()
  dropPermit()
  if ARGV[12] ~= '' then
    put('permit', ARGV[11] .. ' ' .. ARGV[12])
    redis.call('HSET', permitsKey(ARGV[11]), ARGV[12], id)
  end
  save()
  leaveWaiting()
  -- `leaveWaiting` counts the permit of the upload as spare. An attempt without a permit of its own uses it up.
  if ARGV[12] == '' and was.state == 'queued' then needsPermit(kindOf(was)) end
  dueIn(ARGV[10])
  publish(id, event)
  local reply = answer('ok', true)
  if was.state == 'queued' then
    reply[#reply + 1] = 'waitedSince'
    reply[#reply + 1] = was.phaseStartedAt
  end
  return reply
end
