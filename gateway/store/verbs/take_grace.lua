-- Promises: one result of a purse of grace, see parts/grace.lua.
-- KEYS: subject, grace purse
-- ARGV: now, subject id, operation, scope, count, window (0: for ever)
-- Answers: taken | replayed | exhausted, and how many are left
--@include clock
--@include grace
return {take_grace(KEYS[2], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]))}
