"""The page of ringtones: what it shows of each, that hostile names stay text, and that it offers what the API takes."""

from __future__ import annotations

import io
import math
import re
import struct
import wave
from html import unescape
from pathlib import Path

import pytest

from daemon.store.built_in_ringtones import BUILT_IN
from daemon.store.role import Role
from daemon.web.assets import assets
from tests.web.browser import Browser, has_no_inline_code, signed_in
from tests.web.conftest import House

PAGE = "/settings/ringtones"
HOSTILE = '<script>alert(1)</script> "x" & đổ chuông'


def _sound(seconds: float = 0.5) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        samples = (int(12_000 * math.sin(step / 6)) for step in range(int(seconds * 16_000)))
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return out.getvalue()


async def _upload(house: House, name: str, label: str) -> None:
    path = house.client.make_url("/api/v1/ringtones").with_query(name=name, label=label).raw_path_qs
    sent = await house.ask("POST", path, data=_sound(), headers={"Content-Type": "application/octet-stream"})
    assert sent.status == 201


async def _admin(house: House) -> Browser:
    return await signed_in(house, "lan", Role.ADMIN)


def _rows(text: str) -> dict[str, str]:
    """The row of each ringtone, without the one below it that opens."""
    found = re.findall(r'<tr data-tone="([^"]*)">(.*?)</tr>\s*<tr class="more"', text, re.DOTALL)
    return dict(found)


async def test_what_somebody_called_his_own_ringtone_is_never_translated(house: House) -> None:
    """Our catalogue has these words too; only the built-in ones are ours."""
    await _upload(house, "mine", "Save")
    await house.ask("PUT", "/api/v1/queues/sales", json={})
    browser = await signed_in(house, "lan", Role.ADMIN)
    await house.ask("PATCH", "/api/v1/accounts/lan", json={"language": "vi"})
    for path in ("/settings/calls", "/settings/queues", "/settings/new-agent"):
        text = (await browser.get(path)).text
        assert re.search(r'<option value="mine"[^>]*>Save</option>', text), path
        assert re.search(r'<option value="dawn"[^>]*>Bình minh</option>', text), path


async def test_every_ringtone_is_listed_with_its_length_and_can_be_heard(house: House) -> None:
    await _upload(house, "office.1", "Văn phòng")
    browser = await _admin(house)
    rows = _rows((await browser.get(PAGE)).text)
    assert list(rows) == ["office.1", *BUILT_IN]
    assert "0.5 s" in rows["office.1"]
    for row in rows.values():
        (audio,) = re.findall(r'data-play="([^"]+)"', row)
        heard = await house.client.get(audio, headers=browser.headers | await house.open_session("lan"))
        assert (heard.status, heard.content_type) == (200, "audio/wav")


async def test_a_row_tells_who_uses_the_ringtone_and_leads_there(house: House) -> None:
    await house.ask("PUT", "/api/v1/agents/an%2F1", json={"name": "An <b>", "ringtone": "chime"})
    await house.ask("PUT", "/api/v1/queues/sales", json={"ringtone": "chime"})
    await house.ask("PUT", "/api/v1/call-settings", json={"ringtone": "chime"})
    row = _rows((await (await _admin(house)).get(PAGE)).text)["chime"]
    links = dict(re.findall(r'<a href="([^"]+)"><bdi>([^<]+)</bdi></a>', row))
    assert list(links) == ["/settings/calls#setting-ringtone", "/settings/agents/an%2F1", "/settings/queues"]
    assert unescape(links["/settings/agents/an%2F1"]).endswith("An <b>")
    assert links["/settings/queues"].endswith("sales")


async def test_of_many_uses_the_first_are_named_and_the_others_counted(house: House) -> None:
    for number in range(8):
        await house.ask("PUT", f"/api/v1/agents/a{number}", json={"name": f"Agent{number}", "ringtone": "dawn"})
    row = _rows((await (await _admin(house)).get(PAGE)).text)["dawn"]
    assert re.findall(r"Agent\d", row) == [f"Agent{number}" for number in range(5)]
    assert re.search(r"\b3\b", row)


async def test_the_choice_for_all_calls_is_marked_and_every_other_one_can_be_chosen(house: House) -> None:
    await house.ask("PUT", "/api/v1/call-settings", json={"ringtone": "harp"})
    text = (await (await _admin(house)).get(PAGE)).text
    for name, row in _rows(text).items():
        offered = [unescape(body) for body in re.findall(r'data-body="([^"]+)"', row)]
        assert ("state good" in row) is (name == "harp")
        assert offered == ([] if name == "harp" else [f'{{"ringtone": "{name}"}}'])
    assert """data-body='{"ringtone": null}'""" in text  # and back to the phone's own


async def test_an_uploaded_one_can_be_renamed_and_deleted_unless_it_is_used(house: House) -> None:
    await _upload(house, "free", "Free")
    await _upload(house, "taken", "Taken")
    await house.ask("PUT", "/api/v1/hotlines/19001234", json={"label": "Sales", "ringtone": "taken"})
    text = (await (await _admin(house)).get(PAGE)).text
    renamed = re.findall(r'data-api="PATCH /api/v1/ringtones/([^"]+)"', text)
    deleted = re.findall(r'data-api="DELETE /api/v1/ringtones/([^"]+)"', text)
    assert (renamed, deleted) == (["free", "taken"], ["free"])


async def test_the_addresses_shown_are_those_that_phones_can_fetch(house: House) -> None:
    await _upload(house, "office", "Office")
    text = (await (await _admin(house)).get(PAGE)).text
    shown = re.findall(r'<code id="[^"]+">(http[^<]+)</code>', text)
    assert len(shown) == 2 * (len(BUILT_IN) + 1)
    for url in shown:
        path = url.removeprefix(str(house.client.make_url("")).rstrip("/"))
        assert (await house.client.get(path)).status == 200


async def test_behind_a_proxy_the_addresses_begin_as_configured_and_the_hint_is_gone(
    house: House, https_house: House
) -> None:
    bare = (await (await _admin(house)).get(PAGE)).text
    text = (await (await _admin(https_house)).get(PAGE)).text
    assert re.findall(r">(https://calls\.example\.com/ringtones/[\w-]{22}/bird\.wav)<", text)
    assert ("public_url" in bare, "public_url" in text) == (True, False)


async def test_a_hostile_label_is_shown_as_the_text_it_is(house: House) -> None:
    await _upload(house, "x", HOSTILE)
    text = (await (await _admin(house)).get(PAGE)).text
    assert has_no_inline_code(text)
    assert unescape(re.findall(r"<strong><bdi>([^<]*)</bdi></strong>", text)[0]) == HOSTILE


async def test_the_page_says_who_tells_the_phones_and_when(house: House) -> None:
    await house.add_account("lan", Role.ADMIN)
    headers = await house.open_session("lan")
    await house.ask("PATCH", "/api/v1/session", None, json={"language": "en"}, headers=headers)
    text = (await house.ask("GET", PAGE, None, headers=headers)).body
    assert "saved, not acted on yet" not in text
    assert "It is in force at the next call." in text
    assert "phones are told names only" in text


async def test_a_full_house_offers_no_upload(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.web.pages.ringtones.UPLOADED_LIMIT", 1)
    browser = await _admin(house)
    before = (await browser.get(PAGE)).text
    await _upload(house, "only", "Only")
    after = (await browser.get(PAGE)).text
    assert ('id="upload"' in before, 'id="upload"' in after) == (True, False)


async def test_the_policy_of_the_page_lets_it_play_our_own_sounds_only(house: House) -> None:
    page = await (await _admin(house)).get(PAGE)
    assert "media-src 'self';" in page.headers["Content-Security-Policy"]
    assert "ringtones.js" in page.text
    assert Path("ringtones.js").name in assets()
