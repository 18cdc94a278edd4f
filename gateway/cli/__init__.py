"""The command line `paywall`: the only code that prints and exits.

`main` lists the commands, each in a module of its own that is imported only when it runs. Data goes to standard output,
everything else to standard error. Exit codes: 0 done, 1 it can't be done (one sentence says why and what to do),
2 wrong usage.
"""
