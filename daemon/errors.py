"""Every failure Callwarden raises on purpose. The docstring is the default message: one line that says what to do."""

from __future__ import annotations


class CallwardenError(Exception):
    """Something went wrong; see the log."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())

    @property
    def message(self) -> str:
        """What to say; where it was given as a Message it still is one, and can be said in other languages."""
        said: str = self.args[0]
        return said


class TryAgain(CallwardenError):
    """The outside failed in a way that may pass; try again later."""


class NeverAgain(CallwardenError):
    """The outside refused for good; trying again changes nothing."""


class ConfigError(CallwardenError):
    """The configuration is wrong; correct it and start again."""
