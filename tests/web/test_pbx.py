"""The state of the PBXs, what to paste into them, and the check, as the API tells them."""

from __future__ import annotations

import pytest

from daemon.message import Message
from daemon.store.role import Role
from tests.web.conftest import House
from tests.web.pbxs import state


async def test_every_pbx_is_listed_with_its_last_error_in_words(house: House) -> None:
    house.pbxs.known.append(state("2", state="lost", version=None))
    answer = await house.ask("GET", "/api/v1/pbx", Role.SUPERVISOR)
    first, second = answer.body["items"]
    assert (answer.status, answer.body["next"]) == (200, None)
    assert first == {
        "name": "1",
        "kind": "asterisk",
        "host": "192.0.2.7",
        "port": 5038,
        "state": "connected",
        "connected_since": "2026-11-22T09:33:20.000Z",
        "version": "11.0.0",
        "events_per_second": 1.5,
        "events_per_second_minute": None,
        "last_error": "Nobody listens at 192.0.2.7:5038.",
        "last_error_at": "2026-11-22T09:16:40.000Z",
        "catch_up": None,
        "counters": {"logins": 2},
    }
    assert (second["name"], second["state"], second["last_error"]) == ("2", "lost", None)
    assert (await house.ask("GET", "/api/v1/pbx/2", Role.SUPERVISOR)).body == second


@pytest.mark.parametrize(
    "address", ["GET /pbx/x", "GET /pbx/x/stanzas", "POST /pbx/x/check", "GET /pbx/%2e%2e/stanzas"]
)
async def test_a_pbx_that_is_not_configured_is_404(house: House, address: str) -> None:
    method, path = address.split(" ")
    assert (await house.ask(method, f"/api/v1{path}")).status == 404


async def test_what_to_paste_is_told_as_it_is(house: House) -> None:
    answer = await house.ask("GET", "/api/v1/pbx/1/stanzas")
    expected = {"file": "manager.conf", "purpose": "The user.", "text": "[callwarden]\n", "reload": "manager reload"}
    assert (answer.status, answer.body) == (200, {"items": [expected], "next": None})


async def test_a_check_tells_every_test_and_what_cannot_be_told(house: House) -> None:
    answer = await house.ask("POST", "/api/v1/pbx/1/check")
    assert answer.status == 200
    assert answer.body["items"] == [
        {"name": "connected", "ok": True, "words": "Connected.", "fix": None},
        {"name": "events", "ok": None, "words": "No event yet.", "fix": None},
        {"name": "hang_up", "ok": False, "words": "Not allowed.", "fix": "Change it."},
    ]


async def test_words_are_in_the_language_of_the_reader_and_english_for_programs(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.web.pbx.words", lambda _: lambda text: text.replace("Nobody listens at", "Không ai ở"))
    house.pbxs.known = [state(last_error=Message("Nobody listens at {where}.", where="a:1"))]
    reader = await house.sign_in_as(Role.SUPERVISOR)
    for headers, expected in ((reader, "Không ai ở a:1."), (house.headers(Role.ADMIN), "Nobody listens at a:1.")):
        answer = await house.ask("GET", "/api/v1/pbx/1", None, headers=headers)
        assert answer.body["last_error"] == expected
