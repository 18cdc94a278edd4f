-- Promises: the date of a refusal is that of the first one; reason and text are those of the last.
-- KEYS: subject, note
-- ARGV: now, subject id, reason, text
-- Answers: declined | already-declined
--@include clock
--@include changed
local first = redis.call('HGET', KEYS[1], 'da')
local lives = redis.call('PTTL', KEYS[1])
redis.call('HSET', KEYS[1], 'id', ARGV[2], 'da', first or now, 'dr', ARGV[3])
if ARGV[4] ~= '' then
  -- Apart from the subject, which is read on every visit and stays small.
  redis.call('SET', KEYS[2], ARGV[4])
  if lives > 0 then
    redis.call('PEXPIRE', KEYS[2], lives)
  end
else
  redis.call('DEL', KEYS[2])
end
changed()
return first and 'already-declined' or 'declined'
