"""Plugins: found by entry point, loaded only when the config names them, all with one life."""
