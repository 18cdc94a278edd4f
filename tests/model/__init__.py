"""One subject of the store beside a model of it in plain Python, driven by histories that hypothesis makes up.

The model is written from what is promised (`gateway/ports/state.py`, the heads of the verbs) and not from the verbs.
`python -m tests.model` goes on for as long as you like.
"""
