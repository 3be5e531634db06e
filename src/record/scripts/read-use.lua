-- KEYS  1 tenants
-- ARGV  1 … tenants
-- Returns for each tenant: waiting, receiving, uploads of the day, bytes of the day, stored bytes, uploads created in
-- this minute.
local tenantPrefix = KEYS[1]
--- @include "parts/use"
local reply = {}
for _, tenant in ipairs(ARGV) do
  local use = readUse(tenant)
  for _, name in ipairs({ 'waiting', 'receiving', 'uploads', 'bytes', 'stored', 'created' }) do
    reply[#reply + 1] = digits(use[name])
  end
end
return reply
