-- The whole state of the subject, in the order that gateway/store/subjects.py reads it in.
local function state(grace_used, index)
  local fields = redis.call('HMGET', KEYS[1], 'ts', 'te', 'eu', 'cr', 'we', 'wl', 'da', 'st', 'su', 'uc', 'rn')
  local answer = {}
  for place = 1, 8 do
    answer[place] = tonumber(fields[place] or '0')
  end
  answer[3] = math.max(answer[3], tonumber(fields[9] or '0'))
  local count, bytes = held(index)
  answer[9], answer[10], answer[11] = grace_used, count, bytes
  answer[12] = redis.call('HGET', KEYS[1], 'dr') or ''
  answer[13], answer[14], answer[15] = 0, 0, fields[10] or ''
  answer[16] = tonumber(fields[11] or '0')
  return answer
end
