-- Reports whether a limit of a tenant is reached now. It reserves nothing.
-- KEYS  1 tenants
-- ARGV  1 tenant, 2 limits as JSON, 3 bytes of a received upload that will be queued, or empty before it begins
-- Returns the name of the limit, and the ms after which it admits uploads again, or empty strings.
local tenantPrefix = KEYS[1]
--- @include "parts/quota"
local limits = cjson.decode(ARGV[2])
local name = ARGV[3] ~= '' and limitOfQueuing(ARGV[1], limits, tonumber(ARGV[3]))
  or ARGV[3] == '' and limitOfOpening(ARGV[1], limits, nil, useOf('', {}), true)
return { name or '', name and limitEndsInMs(name) or '' }
