"""Guards over the house itself: its shape, its words, its pages and what is shipped.

Each guard is a function from a file's text to a list of complaints, so that the test beside it can show it a known-bad
text: a guard that never complains guards nothing.
"""
