-- Promises: one result of a purse of grace, see parts/grace.lua.
-- KEYS: subject, grace purse, void operations
-- ARGV: now, subject id, operation, scope, count, window (0: for ever)
-- Answers: taken | replayed | exhausted, and how many are left
--@include clock
--@include void
--@include grace
return {take_grace(KEYS[2], KEYS[3], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]))}
