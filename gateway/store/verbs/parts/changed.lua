-- Tells every gateway process that what it remembers of this subject is old.
local function changed()
  redis.call('PUBLISH', 'pw:changed', string.match(KEYS[1], '{(.*)}'))
end
