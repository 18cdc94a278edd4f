"""Those who move money for programs, asked over HTTP: the facilitator of x402.

Only here are they connected to. Nothing is decided here, and nothing is asked twice.
"""
