"""A desk that notes what a provider reports, for tests of a provider by itself."""

from __future__ import annotations

from gateway.testing.desk import NotingDesk, Report

__all__ = ["NotingDesk", "Report"]
