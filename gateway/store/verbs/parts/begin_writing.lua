-- A server that has no memory left refuses a script at its first write or not at all, and only what needs memory. This
-- changes nothing and is never refused: who has paid gets what is theirs, and who brings money is credited.
local function begin_writing()
  redis.call('PERSIST', KEYS[1])
end

-- The same for what keeps nobody: a subject that is to go (see parts/retention.lua) goes at its time.
local function begin_passing_write()
  local lives = redis.call('PTTL', KEYS[1])
  begin_writing()
  if lives > 0 then
    redis.call('PEXPIRE', KEYS[1], string.format('%.0f', lives))
  end
  return lives
end
