"""Faults on purpose: what is promised while something is broken, and after it."""
