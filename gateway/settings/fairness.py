"""What a service promises its clients, whatever else the config says."""

from __future__ import annotations

from pydantic import Field

from gateway.ports.fields import Settings
from gateway.settings.quantity import Flag
from gateway.settings.routes import PathPattern


class Fairness(Settings):
    """Promises to clients, which no route takes back."""

    own_data: tuple[PathPattern, ...] = Field(
        default=(),
        description="Paths at which clients get their own data out: free for everybody, always, whatever the routes "
        "say.",
        examples=[["/account/export/**"]],
    )
    disclosed: Flag = Field(
        default=False,
        description="Whether clients are told of the paywall from the first day: the notice stands on every page of "
        "the trial, too.",
        examples=[True],
    )
