"""Pages and first page of a document."""

from __future__ import annotations

from gateway.ports.fields import Settings
from gateway.ports.plugin import Host
from gateway.ports.teaser import ResultSample, Teaser


class PdfSettings(Settings):
    """Nothing to choose: how much is blurred away is not a matter of taste."""


class PdfTeaser:
    """Shows how a document looks, not what it says."""

    media_types = ("application/pdf", "application/x-pdf")
    whole = True

    def __init__(self, settings: PdfSettings, host: Host) -> None:
        """PDFium is not loaded before `start`."""

    async def start(self) -> None:
        """Load PDFium and Pillow. Raises `RuntimeError` when they are not installed."""
        try:
            import gateway_teaser_pdf.page  # noqa: F401  (PDFium and Pillow are an extra)
        except ImportError:
            raise RuntimeError(
                "the PDF teaser needs pypdfium2 and Pillow: pip install 'paywall-gateway[teasers]'"
            ) from None

    async def stop(self) -> None:
        """Nothing to close."""

    def make(self, sample: ResultSample) -> Teaser | None:
        """Number of pages and the blurred first one; None when this can't be opened, or not all of it is here."""
        from gateway_teaser_pdf.page import NoDocument, preview

        if not sample.complete:
            return None
        try:
            seen = preview(sample.body)
        except NoDocument:
            return None
        facts = {"Pages": f"{seen.pages:,}"}
        return Teaser(facts, image=seen.jpeg, image_type="image/jpeg" if seen.jpeg else "")
