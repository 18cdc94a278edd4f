"""The subject that a command is about, as people type it."""

from __future__ import annotations

import difflib

from gateway.cli.output import CommandFailed
from gateway.core.subject import Subject, SubjectKind


def read_subject(text: str) -> Subject:
    """Who is meant. Raises `CommandFailed` for nobody, and for what is somebody else by a slip of the finger."""
    try:
        who = Subject.parse(text)
    except ValueError as error:
        raise CommandFailed(f"the subject {text!r} can't be: {error}", 2) from None
    kind, colon, name = text.partition(":")
    if colon and str(who) != text:
        # Ids with a colon of their own are people's ids; `visiter:7` is not meant to be one.
        near = difflib.get_close_matches(kind.lower(), [each.value for each in SubjectKind], 1, 0.7)
        if near and not name:
            raise CommandFailed(f"the subject {text!r} has no id: write it behind the colon, as in person:42", 2)
        if near:
            raise CommandFailed(
                f"there is no kind of subject {kind!r}: did you mean {near[0]}:{name}? "
                f"Write person:{text} for a person with this id",
                2,
            )
    return who
