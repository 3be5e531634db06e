-- Adds an entry to the outbox of webhooks in the same step that makes an upload final. The entry has the fields of the
-- record as they are now, because the upload may be deleted or sent again before the webhook is sent. A process without
-- endpoints adds entries too if the tenant had endpoints when the upload was opened. A process that knows them sends
-- the webhook. Needs the locals outboxKey, and hasEndpoints: true if this process knows endpoints.

-- Maximum number of entries that wait for a process with endpoints. There may never be one.
local MOST_KEPT = 100000

-- Fields that no webhook needs.
local NOT_SENT = { variants = true, options = true, address = true, owner = true, nonce = true, hooks = true }

local function addToOutbox(event, flat, changed)
  local entry = { 'event', event }
  for index = 1, #flat, 2 do
    if not NOT_SENT[flat[index]] then
      entry[#entry + 1] = flat[index]
      entry[#entry + 1] = flat[index + 1]
    end
  end
  for _, part in ipairs(changed or {}) do entry[#entry + 1] = part end
  if hasEndpoints then return redis.call('XADD', outboxKey, '*', unpack(entry)) end
  redis.call('XADD', outboxKey, 'MAXLEN', '~', MOST_KEPT, '*', unpack(entry))
end

-- Call this function and the following ones only if a webhook reports the upload. `apart` has the names and values of
-- fields that are not in the hash.
local function sendWebhook(event, recordKey, apart) addToOutbox(event, redis.call('HGETALL', recordKey), apart) end

-- The fields that a deletion removes and its webhook still reports. A value in `changed` replaces the kept one.
local deletedNames = {
  'id', 'publicId', 'createdAt', 'name', 'type', 'sha256', 'tenant', 'appMetadata', 'state', 'stage', 'received',
  'total', 'attempt', 'attemptBase', 'phaseStartedAt', 'phasePercent', 'trace',
}
local beforeDeletion = {}

local function keepForDeletion(recordKey)
  for index, value in ipairs(redis.call('HMGET', recordKey, unpack(deletedNames))) do
    if value then
      beforeDeletion[#beforeDeletion + 1] = deletedNames[index]
      beforeDeletion[#beforeDeletion + 1] = value
    end
  end
end

local function sendDeletion(changed) addToOutbox('deleted', beforeDeletion, changed) end
