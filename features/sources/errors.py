"""What is said when data cannot be read or used at all."""

from __future__ import annotations


class DataError(Exception):
    """Data that cannot be used; the message says what was expected, what came, where, and the next step.

    It never holds a row of the data: these are people's.
    """

    def __init__(self, where: str, wrong: str, fix: str) -> None:
        self.where = where
        self.wrong = wrong
        self.fix = fix
        super().__init__(f"{where}: {wrong}. To mend it, {fix}.")
