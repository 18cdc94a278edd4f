-- A subject that only looked around goes by itself, `kept` after it last asked: with its purses and its note. Never one that
-- has a ledger, an open checkout or held results; whatever makes one of these keeps the subject for ever. What is left then
-- is that it had a trial, for `trial_kept` (0: for ever). Renewed once a day at most.
local DAY_MS = 86400000
local function look_at_retention(kept, is_to_begin, has_holds)
  local lives = kept > 0 and redis.call('PTTL', KEYS[1])
  if kept == 0 or lives > kept - DAY_MS or (lives == -2 and not is_to_begin) then
    return nil, lives
  end
  if has_holds or redis.call('EXISTS', KEYS[1] .. ':ledger', KEYS[1] .. ':checkouts') > 0 then
    return nil
  end
  local ends = {KEYS[1]}
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    local scope = string.match(field, '^g:(.*)$')
    if scope then
      local purse = KEYS[1] .. ':grace:' .. scope
      local purse_lives = redis.call('PTTL', purse)
      ends[#ends + 1] = (purse_lives == -1 or purse_lives > kept - DAY_MS) and purse or nil
    end
  end
  if redis.call('EXISTS', KEYS[1] .. ':note') == 1 then
    ends[#ends + 1] = KEYS[1] .. ':note'
  end
  redis.call('EXISTS', KEYS[1] .. ':had')  -- whatever may fail fails before anything is written
  return ends
end

local function had_trial()
  return redis.call('EXISTS', KEYS[1] .. ':had') == 1
end

local function goes_after(ends, kept, trial_ends, trial_kept)
  local lifetime = string.format('%.0f', math.max(kept, trial_ends - now + DAY_MS))
  for _, key in ipairs(ends) do
    redis.call('PEXPIRE', key, lifetime)
  end
  redis.call('SET', KEYS[1] .. ':had', '1')
  if trial_kept > 0 then
    redis.call('PEXPIRE', KEYS[1] .. ':had', string.format('%.0f', math.max(trial_kept, kept)))
  end
end
