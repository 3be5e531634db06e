-- Puts the fields that every queued upload has for its stored bytes.
-- Needs the part `record`.
local function putStored(size, type, sha256, options, kind)
  put('state', 'queued')
  put('stage', 'queue')
  put('received', size)
  put('total', size)
  put('stored', '1')
  put('type', type)
  put('sha256', sha256)
  put('options', options)
  put('kind', kind)
end
