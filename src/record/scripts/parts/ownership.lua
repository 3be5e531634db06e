-- Checks the limits of an upload's owner, and puts the owner into the record. Needs the part `record`.
--- @include "quota"

-- Returns the limits that applied when the upload was opened, or nil.
local function limitsOfRecord()
  return (was.limits or '') ~= '' and cjson.decode(was.limits) or nil
end

-- Returns the reply to a change that would exceed a limit of the tenant.
local function answerLimited(name)
  local reply = answer('limited', true)
  reply[#reply + 1] = 'limit'
  reply[#reply + 1] = name
  reply[#reply + 1] = 'limitEndsInMs'
  reply[#reply + 1] = limitEndsInMs(name) or ''
  return reply
end

-- A request that takes over from another one of its tenant does not create an upload.
local function isNewFor(ownership) return was.state ~= 'receiving' or was.tenant ~= ownership.tenant end

-- Returns the reply if the owner may not begin the upload now, or nil. An upload counts once for its ticket.
local function lackOfQuota(ownership, totalBytes)
  local ticket = ownership.ticket
  if ticket and redis.call('SISMEMBER', ticketKey(ticket.name), id) == 0
    and redis.call('SCARD', ticketKey(ticket.name)) >= ticket.most then
    return answer('ticket', true)
  end
  if not ownership.limits then return nil end
  local own = useOf(id, was.tenant == ownership.tenant and was or {})
  local limits = cjson.decode(ownership.limits)
  local name = limitOfOpening(ownership.tenant, limits, totalBytes, own, isNewFor(ownership))
  return name and answerLimited(name)
end

-- Counts the upload for its ticket and for the present minute, after `lackOfQuota`. The set of a ticket outlives the
-- ticket, because a form that began in time may bring more files later.
local function takeQuota(ownership)
  local ticket = ownership.ticket
  if ticket then
    redis.call('SADD', ticketKey(ticket.name), id)
    redis.call('PEXPIREAT', ticketKey(ticket.name), digits(math.max(ticket.untilMs, now + 60 * MINUTE_MS)))
  end
  if isNewFor(ownership) and not ownership.uncounted then countMinute(ownership.tenant) end
end

-- As `takeQuota`, for an upload that begins to be received.
local function putQuota(ownership)
  put('limits', ownership.limits or '')
  put('uncounted', ownership.uncounted and '1' or '')
  put('ticket', ownership.ticket and ownership.ticket.name or '')
  if was.ticket and was.state == 'receiving' then redis.call('SREM', ticketKey(was.ticket), id) end
  takeQuota(ownership)
end

-- Without an owner, as in open mode, the owner of an earlier life is removed. Call it before `save`.
local function putOwner(ownership)
  if ownership then
    put('tenant', ownership.tenant)
    put('lane', ownership.lane)
    put('weight', ownership.weight)
    put('appMetadata', ownership.metadata or '')
    put('hooks', ownership.hooks and '1' or '')
  elseif was.tenant then
    redis.call('HDEL', key, 'tenant', 'lane', 'weight', 'appMetadata', 'limits', 'uncounted', 'ticket', 'hooks')
    event.tenant = ''
  end
end
