-- What a checkout says: of one that is open its own hash, of one that was paid for the ledger's entry, which has all of
-- it. `offer` is missing where the checkout is unknown.
local CHECKOUT = {
  'offer', 'plan', 'minor', 'currency', 'hold', 'route', 'results', 'period', 'created', 'status', 'renews', 'grace',
}
local function look_at_checkout(checkout, entry)
  local found = {}
  if entry then
    for _, field in ipairs({'offer', 'plan', 'currency', 'hold', 'route', 'created', 'renews', 'grace'}) do
      found[field] = entry[field]
    end
    found.minor, found.results, found.period = entry.amount, entry.results, entry.period_ms
    found.status = 'paid'
  else
    for place, value in ipairs(redis.call('HMGET', checkout, unpack(CHECKOUT))) do
      found[CHECKOUT[place]] = value and value ~= '' and value or nil
    end
  end
  found.results, found.period = tonumber(found.results or 0), tonumber(found.period or 0)
  found.grace = tonumber(found.grace or 0)
  return found
end
