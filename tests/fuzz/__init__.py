"""Fuzzing of everything that reads what strangers send: a minute of it in the tests, an hour by `make fuzz`.

`targets` says what must hold for any bytes, `mutate` makes bytes that look right until they don't, and `__main__` runs
them.
"""
