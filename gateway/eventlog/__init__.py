"""What happened to requests, for people and for machines.

`entry` is what is known of a request once it is answered, `access_log` writes one line of it, `metrics` counts it.
"""
