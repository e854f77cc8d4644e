"""`/settings/calls`: the call settings, and beside them what they will do, judged by the policies themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final
from zoneinfo import available_timezones

from aiohttp import web
from babel import Locale
from phonenumbers import SUPPORTED_REGIONS
from pydantic import TypeAdapter, ValidationError

from daemon.call.model import Direction
from daemon.call.number import NumberFormat, write_number
from daemon.message import Message
from daemon.policy.call_settings import CallSettings, MissedCallMerge, Rulebook
from daemon.store.queues import read_switched_off
from daemon.store.settings import StoredSettings, read_settings, settings_json
from daemon.web.body import json_object, validated
from daemon.web.change_words import value_words
from daemon.web.page import language_of, show, words
from daemon.web.pages.choices import ringtone_options
from daemon.web.problem import Problem
from daemon.web.sample import (
    Frame,
    Sample,
    customer,
    missed_day,
    picture,
    read_sample,
    sample_lookup_url,
    sample_url,
    spoken_number,
    ticket_groups,
)
from daemon.web.services import services
from daemon.web.settings_rules import URL_FIELDS, settings_errors
from daemon.web.vocabulary import LOOKUP_TROUBLES
from daemon.web.words import Translate

_ADAPTER: Final = TypeAdapter(CallSettings)
_DIRECTIONS: Final = {"outgoing_iframe_url": Direction.OUTGOING}
_SUPPORT, _SALES = Message("Support"), Message("Sales")

_MERGE_MEANS: Final = {
    MissedCallMerge.INCOMING: Message("Missed outgoing calls get a ticket each."),
    MissedCallMerge.NONE: Message("Nothing is merged."),
    MissedCallMerge.INCOMING_AND_OUTGOING: Message("Two tickets a day for each customer at most."),
    MissedCallMerge.INCOMING_PER_QUEUE_AND_OUTGOING: Message("For teams that each call their own customers back."),
}


async def show_call_settings(request: web.Request) -> web.Response:
    parts, _ = services(request), words(request)
    stored = await read_settings(parts.reads)
    sample = await _sample(request)
    return await show(
        request,
        "call_settings.html",
        stored=stored,
        settings=stored.settings,
        defaults=CallSettings(),
        kept=settings_json(stored.settings),
        off_queues=await read_switched_off(parts.reads),
        modes=[_mode(MissedCallMerge(key), word, sample, _) for key, word in value_words("missed_call_merge", _)],
        deliveries=value_words("popup_answer_delivery", _),
        formats_of_numbers=_number_formats(stored.settings, _),
        ringtones=await ringtone_options(parts.reads, _),
        troubles={reason: _(word) for reason, word in LOOKUP_TROUBLES.items()},
        zones=_zones(),
        countries=_countries(language_of(request)),
        **_explained(stored.settings, sample),
    )


async def show_what_happens(request: web.Request) -> web.Response:
    """The panel beside the settings for what is typed now. What cannot be obeyed yet counts as it is saved."""
    parts = services(request)
    draft = _draft(await read_settings(parts.reads), await json_object(request))
    return await show(request, "what_happens.html", settings=draft, **_explained(draft, await _sample(request)))


async def _sample(request: web.Request) -> Sample:
    parts, _ = services(request), words(request)
    return await read_sample(parts.reads, (_(_SUPPORT), _(_SALES)), parts.clock())


def _explained(settings: CallSettings, sample: Sample) -> dict[str, Any]:
    on = Rulebook(settings)  # its two queues count as on, and no other queue is in the sample
    calls = missed_day(sample, settings)
    return {
        "sample": sample,
        "customer": spoken_number(customer(settings.country), settings.country),
        "missed": {queue: sum(call.queue == queue for call in calls) for queue in sample.queues},
        "missed_outgoing": sum(call.direction is Direction.OUTGOING for call in calls),
        "tickets": len(ticket_groups(calls, on)),
        "urls": {
            field: _sample_url(field, url, sample, settings)
            for field in URL_FIELDS
            if (url := getattr(settings, field)) is not None
        },
    }


def _sample_url(field: str, url: str, sample: Sample, settings: CallSettings) -> str:
    if field == "customer_lookup_url":
        return sample_lookup_url(url, sample, settings)
    return sample_url(url, sample, settings, _DIRECTIONS.get(field, Direction.INCOMING))


def _draft(stored: StoredSettings, given: Mapping[str, object]) -> CallSettings:
    """Each field alone: one that is half typed must not take the others with it."""
    kept = settings_json(stored.settings)
    for name, value in given.items():
        if name in kept and _obeyable({name: value}):
            kept[name] = value
    return validated(_ADAPTER, kept)


def _obeyable(values: Mapping[str, object]) -> bool:
    try:
        return not settings_errors(validated(_ADAPTER, values))
    except (Problem, ValidationError):
        return False


def _mode(
    mode: MissedCallMerge, word: str, sample: Sample, _: Translate
) -> tuple[MissedCallMerge, str, str, tuple[Frame, ...]]:
    return mode, word, _(_MERGE_MEANS[mode]), picture(mode, sample)


def _number_formats(settings: CallSettings, _: Translate) -> list[tuple[str, str]]:
    """Each with this country's example."""
    number = customer(settings.country)
    raw = spoken_number(number, settings.country).replace(" ", "")
    return [
        (form, f"{word} ({write_number(number, raw, NumberFormat(form), settings.country)})")
        for form, word in value_words("number_format", _)
    ]


@cache
def _zones() -> Sequence[str]:
    return sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix/")))


@cache
def _countries(language: str) -> Sequence[tuple[str, str]]:
    names = Locale.parse(language).territories
    return sorted(((code, names.get(code, code)) for code in SUPPORTED_REGIONS), key=lambda pair: pair[1])
