"""Dimensions and miniature of an image."""

from __future__ import annotations

from gateway.ports.fields import Settings
from gateway.ports.plugin import Host
from gateway.ports.teaser import ResultSample, Teaser


class ImageSettings(Settings):
    """Nothing to choose: how much is blurred away is not a matter of taste."""


class ImageTeaser:
    """Shows an image as a handful of coloured spots."""

    media_types = ("image/png", "image/jpeg", "image/webp", "image/gif")
    whole = True

    def __init__(self, settings: ImageSettings, host: Host) -> None:
        """Pillow is not loaded before `start`."""

    async def start(self) -> None:
        """Load Pillow. Raises `RuntimeError` when it is not installed."""
        try:
            import gateway_teaser_image.picture  # noqa: F401  (Pillow is an extra)
        except ImportError:
            raise RuntimeError("the image teaser needs Pillow: pip install 'paywall-gateway[teasers]'") from None

    async def stop(self) -> None:
        """Nothing to close."""

    def make(self, sample: ResultSample) -> Teaser | None:
        """Dimensions and miniature; None when the bytes are no image of these kinds, or not all of them are here."""
        from gateway_teaser_image.picture import NoPicture, preview

        if not sample.complete:
            return None
        try:
            seen = preview(sample.body)
        except NoPicture:
            return None
        facts = {"Dimensions": f"{seen.width:,} × {seen.height:,}"}
        return Teaser(facts, image=seen.jpeg, image_type="image/jpeg" if seen.jpeg else "")
