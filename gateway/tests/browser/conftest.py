"""The fixtures of browser_kit."""

from browser_kit import browser, new_page

__all__ = ["browser", "new_page"]
