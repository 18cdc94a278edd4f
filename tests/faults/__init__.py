"""What becomes of the gateway's promises when things break: `python -m tests.faults`, or `make faults`.

- `kills`: processes are killed, the gateway's and the store's, and the books must be right afterwards.
- `states`: the store and the way to it fail in every way they can, while people use the gateway.
"""
