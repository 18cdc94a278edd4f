"""Exchanges by the thousand: what a client may ask and what an application may answer, within HTTP/1.1.

Everything comes from the seed and the number, so that one exchange of a run can be had again alone.
"""

from __future__ import annotations

from .answers import answer
from .dice import Dice
from .message import Question, Told
from .questions import Habits, question

EXCHANGE = b"X-Exchange"
"""The header with the number of the exchange."""
ORDER = b"X-Answer"
"""The header that tells a framework's application what to answer."""
STATUS = b"X-Status"
"""The header that tells an application that knows statuses alone."""


def exchange(seed: int, number: int, habits: Habits) -> tuple[Question, Told]:
    """One request, and the answer it is to get."""
    dice = Dice(seed, number)
    told = answer(dice, habits.exact)
    more = [(EXCHANGE, b"%d" % number)]
    if not habits.exact:
        more += [(ORDER, told.order()), (STATUS, b"%d" % told.status)]
    return question(dice, more, habits), told
