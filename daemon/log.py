"""The log: one event per line, fields and no prose. Above debug telephone numbers are masked; secrets always are."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Final, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_SHOWN_DIGITS: Final = 3
_NUMBER_KEYS: Final = re.compile(
    r"(?:^|_)(?:number|numbers|number_raw|caller|callee|caller_id|phone|msisdn|shown|dialled|exten|customer|hotline)$"
)
_SECRET_KEYS: Final = re.compile(r"(?:^|_)(?:secret|token|password|authorization|cookie|signature)$", re.IGNORECASE)
_SECRET_TEXT: Final = re.compile(r"whsec_[A-Za-z0-9+/=_-]+|cw_[A-Za-z0-9_-]{30,}|(?i:bearer )[A-Za-z0-9._~+/=-]+")
_MASK: Final = "***"
_DEPTH: Final = 6


def configure_logging(
    level: Literal["debug", "info", "warning", "error"] = "info",
    form: Literal["json", "console"] = "json",
    stream: TextIO | None = None,
) -> None:
    """Everything that logs in this process, ours and the libraries', goes through the same processors."""
    target = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(form, target)]
    handler = logging.StreamHandler(target)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("asyncio", "aiosqlite", "sqlalchemy", "alembic"):
        logging.getLogger(noisy).setLevel(max(root.level, logging.WARNING))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # module loggers are made before this runs
    )


def _rendering(form: str, target: TextIO) -> list[Processor]:
    """Masking comes last but one, when exceptions are text already."""
    if form == "console":
        colors = target.isatty()
        # repr of texts: a line end in a caller's name must not begin a line of its own.
        return [structlog.processors.format_exc_info, mask, _one_line, structlog.dev.ConsoleRenderer(colors=colors)]
    return [structlog.processors.format_exc_info, mask, structlog.processors.JSONRenderer(default=str)]


def mask(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Masks by the name of the field, and secrets wherever they stand in a text."""
    numbers = event.get("level") != "debug"
    return {key: _masked(key, value, numbers, _DEPTH) for key, value in event.items()}


def mask_number(text: str) -> str:
    """All but the last three digits: enough to recognise one's own call, too little to ring anybody up."""
    hidden = len(text) - _SHOWN_DIGITS
    return "*" * hidden + text[-_SHOWN_DIGITS:] if hidden > _SHOWN_DIGITS else "*" * len(text)


def _masked(key: str, value: Any, numbers: bool, depth: int) -> Any:
    if value is None or isinstance(value, bool | float):
        return value
    if _SECRET_KEYS.search(key):
        return _MASK
    if isinstance(value, Mapping) and depth:
        return {name: _masked(str(name), inner, numbers, depth - 1) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and depth:
        return [_masked(key, inner, numbers, depth - 1) for inner in value]
    if numbers and _NUMBER_KEYS.search(key) and isinstance(value, str | int):
        return mask_number(str(value))
    return _SECRET_TEXT.sub(_MASK, value) if isinstance(value, str) else value


def _one_line(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Line ends and control characters escaped; of the traceback of an exception all but its line ends."""
    return {
        key: _escaped(value, "\n" if key == "exception" else "") if isinstance(value, str) else value
        for key, value in event.items()
    }


def _escaped(text: str, kept: str) -> str:
    return "".join(one if one.isprintable() or one in kept else one.encode("unicode_escape").decode() for one in text)
