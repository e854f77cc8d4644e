"""The page of PBXs, and the pages of refusals: each state in words, nothing that the PBX said is taken for HTML."""

from __future__ import annotations

import re
import tomllib
from html import unescape
from pathlib import Path

import pytest

from daemon.call.signals import UnixMs
from daemon.config import load_config
from daemon.message import Message
from daemon.pbx import CatchUpState
from daemon.store.role import Role
from daemon.web.pages.pbx import LINES
from tests.web.browser import Browser, has_no_inline_code, signed_in
from tests.web.conftest import NOW, House
from tests.web.pbxs import state

PAGE = "/settings/pbx"
HTML = {"Accept": "text/html,application/xhtml+xml"}


async def _page(house: House) -> str:
    """As an admin reads it, in English."""
    if "admin" not in house.__dict__:
        await house.add_account("lan", Role.ADMIN)
        house.__dict__["admin"] = await house.open_session("lan")
        await house.ask("PATCH", "/api/v1/session", None, json={"language": "en"}, headers=house.__dict__["admin"])
    answer = await house.ask("GET", PAGE, None, headers=house.__dict__["admin"])
    assert answer.status == 200
    return str(answer.body)


def _facts(text: str) -> dict[str, str]:
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", text)
    return {name: unescape(re.sub(r"<[^>]+>", "", value)) for name, value in found}


@pytest.mark.parametrize(
    ("name", "word", "colour"),
    [
        ("connected", "Connected", "good"),
        ("connecting", "Connecting", "warn"),
        ("refused", "Login refused", "bad"),
        ("lost", "Connection lost", "bad"),
    ],
)
async def test_the_state_is_a_word_and_a_colour(house: House, name: str, word: str, colour: str) -> None:
    house.pbxs.known = [state("main", state=name)]
    assert f'<span class="state {colour}">{word}</span>' in await _page(house)


async def test_a_connected_pbx_shows_since_when_its_version_its_events_and_reconnects(house: House) -> None:
    house.pbxs.known = [
        state(
            connected_since=UnixMs(NOW - 90_000),
            version="11.0.0",
            events_per_second=1234.5,
            events_per_second_minute=0.0,
            counters={"logins": 4},
        )
    ]
    facts = _facts(await _page(house))
    assert facts["Address"] == "192.0.2.7:5038"
    assert facts["Version"].endswith("11.0.0")
    assert re.fullmatch(r"\d\d/\d\d/2026 \d\d:\d\d:\d\d", facts["Connected since"])
    assert (facts["Events now"], facts["Events, last minute"]) == ("1,234.5 a second", "0 a second")
    assert facts["Reconnects since the start"] == "3"


async def test_a_pbx_that_is_away_shows_why_and_no_old_figures(house: House) -> None:
    why = Message("Nobody listens at {where}.", where="<b>192.0.2.7")
    house.pbxs.known = [
        state(state="lost", connected_since=UnixMs(NOW - 9), events_per_second=7.0, last_error=why, last_error_at=NOW)
    ]
    text = await _page(house)
    assert "<b>" not in text
    assert has_no_inline_code(text)
    assert re.search(r'<p class="alert">Nobody listens at &lt;b&gt;192\.0\.2\.7\.', text)
    facts = _facts(text)
    assert (facts["Connected since"], facts["Events now"]) == ("\u2013", "\u2013")


async def test_the_trouble_of_before_stands_quietly_beside_a_link_that_works(house: House) -> None:
    text = await _page(house)  # the sample is connected and had trouble
    assert '<p class="alert">Nobody' not in text
    assert re.search(r'<p class="help">Last trouble, [^<]*: Nobody listens at 192', text)


async def test_what_to_paste_stands_open_until_the_first_login(house: House) -> None:
    house.pbxs.known = [state("a", state="refused"), state("b", state="lost", counters={"logins": 1}), state("c")]
    opened = re.findall(r'data-stanzas="/api/v1/pbx/(\w)/stanzas"( open)?', await _page(house))
    assert opened == [("a", " open"), ("b", ""), ("c", "")]


async def test_several_pbxs_are_counted_and_each_can_be_checked(house: House) -> None:
    house.pbxs.known = [state("hanoi"), state("hue", state="lost"), state("da-nang")]
    text = await _page(house)
    assert "2 of 3 PBXs are connected." in text
    assert re.findall(r'data-check="POST /api/v1/pbx/([\w-]+)/check"', text) == ["hanoi", "hue", "da-nang"]
    live = re.findall(r'data-live="([^"]+)"', text)
    assert len(live) == len(set(live))  # the script finds each part of a fresh page by this name


async def test_making_the_page_asks_no_pbx_anything(house: House) -> None:
    async def asked(_: object) -> None:
        raise AssertionError

    house.pbxs.check = house.pbxs.snippets = house.pbxs.inventories = asked  # type: ignore[method-assign, assignment]
    assert "data-stanzas" in await _page(house)


async def test_a_supervisor_sees_the_state_but_nothing_to_check_or_paste(house: House) -> None:
    house.pbxs.known = [state("main", state="lost"), state("hue")]
    browser = await signed_in(house, "mai", Role.SUPERVISOR)
    text = (await browser.get(PAGE)).text
    assert re.findall(r'<span class="state (\w+)">', text) == ["bad", "good"]
    assert re.findall(r'href="(/settings/[^"]+)"', text) == [PAGE] * 3  # navigation, phone's navigation, indicator
    house.pbxs.known = []
    for shown in (text, (await browser.get(PAGE)).text):
        assert not re.search(r"data-check=|data-stanzas|\[\[pbx\]\]", shown)


async def test_without_a_pbx_the_page_shows_lines_that_a_configuration_file_takes(house: House, tmp_path: Path) -> None:
    house.pbxs.known = []
    text = await _page(house)
    (shown,) = re.findall(r'<pre id="lines">(.*?)</pre>', text, re.DOTALL)
    assert unescape(shown).strip() == LINES.strip()
    secret = tmp_path / "ami.secret"
    secret.write_text("s3cret")
    secret.chmod(0o600)
    lines = LINES.replace(tomllib.loads(LINES)["pbx"][0]["secret_file"], str(secret))
    config = tmp_path / "callwarden.toml"
    config.write_text(f'[store]\nurl = "sqlite:///{tmp_path}/x.db"\n{lines}')
    assert [pbx.name for pbx in load_config(config).pbx] == ["main"]


# -- pages of refusals ------------------------------------------------------------------------------------------------


async def test_an_unknown_address_stays_among_the_pages_of_whoever_is_signed_in(house: House) -> None:
    browser = await signed_in(house, "lan", Role.ADMIN, **HTML)
    page = await browser.get("/settings/nothing")
    assert page.status == 404
    assert '<body class="shell">' in page.text
    assert 'href="/settings/calls"' in page.text


async def test_an_unknown_address_shows_a_stranger_no_pages(house: House) -> None:
    for browser in (Browser(house, HTML), Browser(house, HTML, {"callwarden": "A" * 43})):
        page = await browser.get("/settings/nothing")
        assert (page.status, '<body class="bare">' in page.text) == (404, True)
        assert "/settings/calls" not in page.text


async def test_an_unknown_address_is_json_for_programs_even_with_a_session(house: House) -> None:
    browser = await signed_in(house, "lan", Role.ADMIN)
    for path, accept in (("/settings/nothing", "application/json"), ("/api/v1/nothing", HTML["Accept"])):
        page = await browser.get(path, Accept=accept)
        assert (page.status, page.headers["Content-Type"].partition(";")[0]) == (404, "application/problem+json")


async def test_a_page_of_another_role_is_refused_among_ones_own_pages(house: House) -> None:
    browser = await signed_in(house, "an", Role.AGENT, **HTML)
    page = await browser.get(PAGE)
    assert page.status == 403
    assert '<body class="shell">' in page.text
    assert "/settings/calls" not in page.text
    assert "data-check" not in page.text


async def test_a_refused_change_of_a_page_is_logged_with_who_asked(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    browser = await signed_in(house, "an", Role.AGENT)
    capsys.readouterr()
    await browser.get(PAGE)
    assert re.search(r"http_request.*by=an\b.*status=403", capsys.readouterr().out)


async def test_what_was_caught_up_is_one_line(house: House) -> None:
    since, until = UnixMs(1_795_320_000_000), UnixMs(1_795_323_600_000)
    states = [
        (CatchUpState(since=since, until=until, calls=500, broken=2), "Caught up 500 calls from"),
        (CatchUpState(since=since, until=until, calls=200, running=True), "200 calls so far"),
        (CatchUpState(since=since, until=until, error=Message("{why}", why="no <file>")), "no &lt;file&gt;"),
    ]
    for catch_up, words in states:
        house.pbxs.known = [state(catch_up=catch_up)]
        assert words in await _page(house)
    answer = await house.ask("GET", "/api/v1/pbx/1", None, headers=house.__dict__["admin"])
    assert answer.body["catch_up"] == {
        "from": "2026-11-22T04:00:00.000Z",
        "to": "2026-11-22T05:00:00.000Z",
        "running": False,
        "calls": 0,
        "broken_rows": 0,
        "error": "no <file>",
    }
