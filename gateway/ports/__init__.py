"""What rooms and plugins may expect of each other: protocols and the values that pass between them.

`plugin` is the public door; `identity`, `payment` and `teaser` are its kinds. `state` is the store, verb by verb;
`upstream` is the application behind the gateway; `events` takes what happened.
"""
