"""Hundreds who want the same few free results at once, some of whom leave in the midst of it, before several processes.

**What is delivered**: a result of whose body the gateway has handed at least one byte to the connection of a client
that it did not know to be gone. The access log says so (`bytes`), whatever the client did with it. So of one subject
with N free results:

- never more than N are delivered, and whoever had a byte of one is among them;
- what is spent is what was delivered: whoever left without a byte has spent nothing;
- those that are left can still be had: in the end, each of the N was delivered once, and is spent.

A worker that is killed (`kill -9`) takes its last lines of the log along, and what it had taken is given back by the
journal, at most a moment after it was delivered. There, what is spent is at most what clients had, and they had at most
as many more as were under way.
"""
