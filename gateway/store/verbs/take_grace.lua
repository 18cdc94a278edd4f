-- Promises: one result of a purse of grace, see parts/grace.lua.
-- KEYS: subject, grace purse, void operations
-- ARGV: now, subject id, operation, scope, count, window (0: for ever)
-- Answers: taken | replayed | exhausted, and how many are left
--@include begin_writing
--@include clock
--@include void
--@include grace
local window = tonumber(ARGV[6])
local outcome, left = ask_for_grace(KEYS[2], KEYS[3], ARGV[3], tonumber(ARGV[5]), window)
if outcome == 'taken' then
  local lives = begin_passing_write()
  take_grace(KEYS[2], ARGV[2], ARGV[3], ARGV[4], window)
  if lives > 0 and window == 0 then
    redis.call('PEXPIRE', KEYS[2], string.format('%.0f', lives))
  end
end
return {outcome, left}
