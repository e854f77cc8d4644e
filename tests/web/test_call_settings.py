"""Call settings through the API: what is wrong is named and changes nothing, what is right counts at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import insert

from daemon.store.retention import Keeping
from daemon.store.settings import read_settings
from daemon.store.tables import settings
from daemon.store.work import Query, Work
from tests.web.conftest import House

PATH = "/api/v1/call-settings"
RETENTION = tuple(f"retention_days_{kind}" for kind in Keeping)

BAD_URLS: list[Any] = [
    "",
    "crm",
    "/popup",
    "//crm.example/popup",
    "ftp://crm.example/",
    "javascript:alert(1)",
    "https://",
    "https:///popup",
    "https://user:pass@crm.example/",
    "https://user@crm.example/",
    "https://crm.example/\r\nX: y",
    "https://crm.example/ x",
    "https://crm.example\\@evil.example/",
    "https://crm.example:99999/",
    "https://[::1/",
    "https://{customerNumber}.example/",
    "https://crm.example/{customer}",
    "https://crm.example/{CustomerNumber}",
    "https://crm.example/{",
    "http://crm.example:0/",
    "http://crm..example/",
    "http://0x7f.1/",
    "http://2130706433/{callId}",
    "http://[1.2.3.4]/",
    "http://[fe80::1%25eth0]/",
    "https://crm.example/?q={userId}}",
    "https://crm.example/" + "a" * 2048,
    "\thttps://crm.example/",
    5,
    True,
    [],
    {},
]

BAD: dict[str, list[Any]] = {
    "auto_create_tickets": [1, 0, "true", None, [], {}],
    "notify_incoming_calls": [1, "false", None],
    "notify_phone_message": [1, "true", None],
    "missed_call_merge": ["", "all", "INCOMING", None, 1, ["incoming"]],
    "popup_answer_delivery": ["both", None, 0],
    "popup_answer_url": BAD_URLS,
    "incoming_iframe_url": BAD_URLS,
    "outgoing_iframe_url": BAD_URLS,
    "webphone_embed_url": BAD_URLS,
    "customer_lookup_url": [*BAD_URLS, "https://crm.example/?who={userId}", "https://crm.example/?at={timeAnswer}"],
    "recording_url": [*BAD_URLS, "https://records.example/{timeAnswer}.wav"],
    "sla_target_percent": [-1, 101, 80.0, 80.5, "80", True, None, 10**17],
    "sla_answer_within_seconds": [0, 3601, "20", None, 1.5],
    "sla_short_abandon_seconds": [-1, 3601, "5", None, False],
    "disconnect_timeout_seconds": [-1, 1, 4, 3601, "30", None, False, 30.0],
    "wallboard_waiting_alarm": [0, 1001, "5", True, 1.5],
    "wallboard_wait_alarm_seconds": [0, 3601, "60", False],
    "ringtone": ["", "a" * 65, "../etc/passwd", "a\r\nAlert-Info: x", "a b", 1, "ră", "unknown", "Classic"],
    "time_zone": ["", "Hanoi", "UTC+7", "../../etc/passwd", "asia/ho_chi_minh", "localtime", None, 7],
    "country": ["", "vn", "XX", "VNM", "Vietnam", None, 84],
    "language": ["", "fr", "VI", None],
    "number_format": ["", "E164", "digits", None],
    **{name: [0, -1, 36_501, "30", True, 1.5] for name in RETENTION},
}


@pytest.mark.parametrize("field", BAD)
async def test_a_bad_value_is_named_and_changes_nothing(house: House, field: str) -> None:
    before = (await house.ask("GET", PATH)).body
    for value in BAD[field]:
        answer = await house.ask("PUT", PATH, json={field: value, "sla_target_percent": 55} | {field: value})
        assert (answer.status, answer.fields()) == (422, {field}), value
    assert (await house.ask("GET", PATH)).body == before
    assert house.rules_changes == 0


NEVER_CALLED = [
    "http://169.254.169.254/",
    "http://[::ffff:169.254.169.254]/{callId}?number={customerNumber}",
    "http://0.0.0.0/",
    "http://[fe80::1]/",
    "http://①⑥⑨.254.169.254/",
]


@pytest.mark.parametrize("url", NEVER_CALLED)
@pytest.mark.parametrize("field", ["popup_answer_url", "customer_lookup_url"])
async def test_a_url_that_the_daemon_will_never_call_is_refused_at_once(house: House, field: str, url: str) -> None:
    answer = await house.ask("PUT", PATH, json={field: url})
    assert (answer.status, answer.fields(), house.rules_changes) == (422, {field}, 0)


async def test_what_only_browsers_open_may_be_anywhere(house: House) -> None:
    form = dict.fromkeys(("incoming_iframe_url", "outgoing_iframe_url", "webphone_embed_url"), "http://169.254.1.1/")
    assert (await house.ask("PUT", PATH, json=form)).status == 200


async def test_all_wrong_fields_are_named_at_once(house: House) -> None:
    wrong = {"country": "XX", "sla_target_percent": "1", "disconnect_timeout_seconds": 3, "colour": "red"}
    assert (await house.ask("PUT", PATH, json=wrong)).fields() == set(wrong)


GOOD = {
    "auto_create_tickets": False,
    "notify_incoming_calls": False,
    "notify_phone_message": True,
    "missed_call_merge": "incoming_per_queue_and_outgoing",
    "popup_answer_url": "https://crm.example/khách/{customerNumber}?a=1&u={userId}#{callId}",
    "popup_answer_delivery": "webhook",
    "incoming_iframe_url": "http://10.0.0.5:8080/in?x=%7B",
    "outgoing_iframe_url": "http://[::1]/out",
    "webphone_embed_url": "https://tổng-đài.vn/phone",
    "customer_lookup_url": "https://crm.example/ai/{customerNumber}?line={hotline}&in={isCallOut}#{callId}",
    "recording_url": "https://records.example/{pbx}/{callId}.wav?to={userId}",
    "sla_target_percent": 0,
    "sla_answer_within_seconds": 3600,
    "sla_short_abandon_seconds": 0,
    "disconnect_timeout_seconds": 5,
    "ringtone": "chime",
    "wallboard_waiting_alarm": 5,
    "wallboard_wait_alarm_seconds": 60,
    "time_zone": "Europe/Berlin",
    "country": "DE",
    "language": "en",
    "number_format": "national",
    "summary_time": "18:30",
    "summary_days": ["mon", "sun"],
    **dict.fromkeys(RETENTION, 365),
}


async def test_every_setting_can_be_set_read_put_back_and_is_known_to_the_daemon_before_the_answer(
    house: House,
) -> None:
    answer = await house.ask("PUT", PATH, json=GOOD)
    assert (answer.status, answer.body, house.rules_changes) == (200, GOOD, 1)
    assert (await house.ask("GET", PATH)).body == GOOD
    assert (await house.ask("PUT", PATH, json=GOOD)).status == 200
    assert house.rules_changes == 1  # nothing differed
    kept = await read_settings(house.store.reader)
    assert kept.version == 1
    assert kept.changed["country"].by == house.named()


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_keys_that_are_not_given_stay(house: House, method: str) -> None:
    await house.ask("PUT", PATH, json=GOOD)
    answer = await house.ask(method, PATH, json={"popup_answer_url": None, "sla_target_percent": 90})
    assert answer.body == {**GOOD, "popup_answer_url": None, "sla_target_percent": 90}


async def test_changes_of_different_keys_at_once_lose_nothing(house: House) -> None:
    values: dict[str, Any] = {"country": "DE", "language": "en", "sla_target_percent": 1, "ringtone": "harp"}
    await asyncio.gather(*(house.ask("PUT", PATH, json={key: value}) for key, value in values.items()))
    assert (await house.ask("GET", PATH)).body.items() >= values.items()


async def test_the_second_of_two_admins_is_told(house: House) -> None:
    tag = {"If-Match": (await house.ask("GET", PATH)).headers["ETag"]}
    assert (await house.ask("PUT", PATH, json={"country": "DE"}, headers=tag)).status == 200
    assert (await house.ask("PUT", PATH, json={"country": "FR"}, headers=tag)).status == 412
    assert (await house.ask("GET", PATH)).body["country"] == "DE"
    for nonsense in ('"x"', 'W/"x"', "-1", '"' + "9" * 40 + '"'):
        assert (await house.ask("PUT", PATH, json={}, headers={"If-Match": nonsense})).status == 412


async def test_a_stored_value_that_no_longer_fits_falls_back_to_its_default(house: House) -> None:
    def spoil() -> Work[None]:
        for key, value in (("country", '"VN'), ("sla_target_percent", '"80"'), ("language", '"en"')):
            yield Query(insert(settings), {"key": key, "value": value, "changed_at": 1, "changed_by": None})

    await house.store.writer.change(spoil)
    stored = await read_settings(house.store.reader)
    assert stored.broken == ("sla_target_percent", "country")
    assert (stored.settings.country, stored.settings.sla_target_percent, stored.settings.language) == ("VN", 80, "en")
    assert (await house.ask("PUT", PATH, json={"country": "DE"})).body["country"] == "DE"
