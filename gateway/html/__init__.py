"""Changes a page of the application as it passes: pure functions and small machines of bytes, without I/O.

`head` says which answers are pages that may be changed, and how their heads change; `style_policy` and `script_policy`
whether a page lets a style sheet and a script of ours in, by its `policies`. `page` puts a snippet into the body, at
the place that `insertion` finds, unless `glimpse` saw something that forbids it; `coding` undoes and redoes gzip around
that.
"""
