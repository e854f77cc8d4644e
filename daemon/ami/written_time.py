"""Times as Asterisk writes them in its records: local without a zone, or seconds since 1970."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo

from daemon.call.signals import ChannelId, UnixMs

_EPOCH = re.compile(r"[0-9]{9,11}(\.[0-9]{1,6})?")
_LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?")
_CREATED = re.compile(r"(?:.*-)?([0-9]{9,11})\.[0-9]+")  # Uniqueid: [systemname-]seconds.number
_SLACK_MS = 2_000
_YEARS = range(1990, 2200)  # a row that says otherwise is broken, and arithmetic with it would fail


def is_epoch(value: object) -> bool:
    return isinstance(value, int | float) or (isinstance(value, str) and _EPOCH.fullmatch(value) is not None)


def created_at(channel: str) -> UnixMs | None:
    """When a channel began, as its Uniqueid says, whatever the time zone."""
    found = _CREATED.fullmatch(channel)
    return UnixMs(int(found[1]) * 1000) if found else None


def written_time(value: object, zone: tzinfo | None, channel: ChannelId) -> UnixMs | None:
    """None where nothing was written (no answer) or it is no time. `zone` None is this machine's own.

    In the hour that a clock goes through twice, the channel's own beginning decides.
    """
    moment = _moment(value)
    if moment is None or moment.tzinfo is not None:
        return None if moment is None else _ms(moment)
    first, second = (_ms(_local(moment.replace(fold=fold), zone)) for fold in (0, 1))
    created = created_at(channel)
    return second if created is not None and first < created - _SLACK_MS <= second else first


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return _plausible(value)
    text = str(value).strip() if value is not None else ""
    try:
        if _EPOCH.fullmatch(text):
            return _plausible(datetime.fromtimestamp(float(text), UTC))
        return _plausible(datetime.fromisoformat(text)) if _LOCAL.fullmatch(text) else None
    except (ValueError, OverflowError, OSError):
        return None


def _plausible(moment: datetime) -> datetime | None:
    return moment if moment.year in _YEARS else None


def _local(moment: datetime, zone: tzinfo | None) -> datetime:
    return moment.replace(tzinfo=zone) if zone is not None else moment.astimezone()


def _ms(moment: datetime) -> UnixMs:
    return UnixMs(round(moment.timestamp() * 1000))
