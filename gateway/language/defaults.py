"""The texts that stand in a config unless its owner wrote others, for translators to find.

Only these are translated where an owner's text is read: what an owner writes stands as it was written.
"""

from __future__ import annotations

from gateway.language.catalogue import in_context

DEFAULTS = (
    in_context("owner", "This service"),
    in_context("owner", "This result"),
    in_context("owner", "It is too expensive"),
    in_context("owner", "Not right now"),
    in_context("owner", "I am still trying it out"),
    in_context("owner", "It lacks something I need"),
    in_context("owner", "Another reason"),
)
"""The names of the service and of the plan for one result, and the reasons not to pay."""
