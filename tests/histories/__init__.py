"""Random histories of what providers report, in any order and any number of times, to two workers at once.

What a subject has in the end must follow from the events alone: not from their order, nor from how often each came.
`python -m tests.histories` does thousands; the tests do some.
"""
