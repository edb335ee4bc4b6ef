"""What stands for `pixelmirror.direct` in the image of sites whose pages post nothing to Scalev.

Most sites are such, and pages of theirs need not load what does it.
"""

from .anything import Any


class Direct:
    """Nothing is posted; what pages kept while the site still said `direct` is forgotten."""

    def __init__(self, site: dict, page: Any) -> None:
        self.page = page
        self.copies: dict = {}

    def keep(self, uuid: str, event: dict) -> list:
        return []

    def heed(self, consent: dict) -> None:
        self.page.forget([key for key, _ in self.page.entries("direct")], "direct")

    def flush(self) -> None:
        pass

    def take_over(self) -> None:
        pass

    def leave(self) -> None:
        pass
