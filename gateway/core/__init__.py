"""Words and shared rules: standard library only; no await, no clock, no I/O.

`subject`, `standing`, `rule` and `decision` are the nouns of the product; `reason` and `event` its closed
vocabularies; `target` judges a request's path; `money` and `quantity` are what people write in a config; `header` and
`decode` read bytes, `header_lines` writes them; `keyring` derives keys and tags.
"""
