-- Puts the owner of an upload. Needs the part `record`.

-- Without an owner, as in open mode, the owner of an earlier life is removed. Call it before `save`.
local function putOwner(ownership)
  if ownership then
    put('tenant', ownership.tenant)
    put('lane', ownership.lane)
    put('weight', ownership.weight)
    put('appMetadata', ownership.metadata or '')
  elseif was.tenant then
    redis.call('HDEL', key, 'tenant', 'lane', 'weight', 'appMetadata')
    event.tenant = ''
  end
end
