"""Ringtones through the API and as phones fetch them: what is uploaded is heard, used, renamed and removed safely."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import FormData
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from daemon.store import ringtones
from daemon.store.built_in_ringtones import BUILT_IN, built_in_sound
from daemon.store.ringtones import read_ringtones
from daemon.store.role import Role
from daemon.store.settings import read_settings
from tests.drawn import examples
from tests.web.conftest import House, open_house
from tests.web.sounds import encoded, heard, pitch, tone

API = "/api/v1"
PATH = f"{API}/ringtones"
FILE = encoded(tone(), kind="OGG")
LIMIT = 2 * 1024 * 1024


@dataclass(frozen=True)
class Fetched:
    status: int
    body: bytes
    headers: Mapping[str, str]


async def fetch(house: House, path: str, method: str = "GET", **headers: str) -> Fetched:
    """As a phone: without a token, and the path exactly as given."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with house.client.request(method, URL(path, encoded=True), headers=sent, allow_redirects=False) as answer:
        return Fetched(answer.status, await answer.read(), answer.headers)


async def upload(house: House, name: str = "sea", file: bytes = FILE, role: Role = Role.ADMIN, **options: Any) -> Any:
    return await house.ask("POST", f"{PATH}?name={name}", role, data=file, **options)


def phone_path(shown: Mapping[str, Any], key: str = "url") -> str:
    path: str = urlsplit(shown[key]).path
    return path


async def choose_everywhere(house: House, name: str | None) -> list[int]:
    form = {"ringtone": name}
    places = ("call-settings", "agents/an", "queues/sales", "hotlines/1900")
    return [(await house.ask("PUT", f"{API}/{place}", json=form)).status for place in places]


EVERYWHERE = [
    {"kind": "call_settings", "key": "", "label": ""},
    {"kind": "agent", "key": "an", "label": "an"},
    {"kind": "queue", "key": "sales", "label": ""},
    {"kind": "hotline", "key": "1900", "label": ""},
]


async def test_the_built_in_ones_are_listed_heard_and_fetched_by_phones(house: House) -> None:
    listed = (await house.ask("GET", PATH, Role.SUPERVISOR)).body
    assert ([each["name"] for each in listed["items"]], listed["next"]) == (sorted(BUILT_IN), None)
    for shown in listed["items"]:
        assert (shown["kind"], shown["used_by"], shown["label"].lower()) == ("built_in", [], shown["name"])
        wide, narrow = [(await fetch(house, phone_path(shown, key))).body for key in ("url", "url_8k")]
        assert (wide, narrow) == (built_in_sound(shown["name"]).wide, built_in_sound(shown["name"]).narrow)
        assert len(heard(wide)[1]) / 16 == shown["duration_ms"]


async def test_an_uploaded_file_is_telephone_sound_with_a_label_and_rings_on_phones(house: House) -> None:
    answer = await upload(house, "sea&label=Bi%E1%BB%83n%20xanh", headers={"Content-Type": "audio/ogg"})
    assert (answer.status, house.rules_changes) == (201, 1)
    shown = answer.body
    assert (shown["name"], shown["label"], shown["kind"]) == ("sea", "Biển xanh", "uploaded")
    assert (shown["duration_ms"], shown["created_by"], shown["created_at"]) == (
        1000, house.named(), "2026-11-22T09:33:20.000Z",
    )  # fmt: skip
    assert (await house.ask("GET", f"{PATH}/sea")).body == shown
    assert (await house.ask("GET", PATH)).body["items"][-1] == shown
    for key, rate in (("url", 16_000), ("url_8k", 8_000)):
        fetched = await fetch(house, phone_path(shown, key))
        assert (fetched.status, fetched.headers["Content-Type"]) == (200, "audio/wav")
        assert (heard(fetched.body)[0], round(pitch(fetched.body), -1)) == (rate, 700)


@pytest.mark.parametrize("kind", ["WAV", "MP3", "OGG"])
async def test_the_content_says_what_a_file_is_whatever_it_is_called(house: House, kind: str) -> None:
    for n, called in enumerate(("audio/wav", "audio/x-made-up", "application/octet-stream", "video/ogg")):
        answer = await upload(house, f"t{n}", encoded(tone(), kind=kind), headers={"Content-Type": called})
        assert answer.status == 201


async def test_what_is_no_sound_is_refused_in_plain_words_and_not_kept(house: House) -> None:
    answer = await upload(house, file=b"<html>", headers={"Content-Type": "audio/wav"})
    assert (answer.status, answer.body["errors"]) == (
        422, [{"field": "", "message": "this is not a WAV, MP3 or OGG file"}],
    )  # fmt: skip
    assert (await upload(house, headers={"Content-Type": "text/html"})).status == 415
    assert (await upload(house, headers={"Content-Type": "multipart/form-data; boundary=x"})).status == 415
    assert (await house.ask("GET", f"{PATH}/sea")).status == 404
    assert (house.rules_changes, await house.audit()) == (0, [])


async def test_two_megabytes_are_taken_here_and_nowhere_else_and_not_a_byte_more(house: House) -> None:
    file = encoded(tone(30, 32_000), 32_000)
    assert (await upload(house, file=file + bytes(LIMIT - len(file)))).status == 201
    too_large = [bytes(LIMIT + 1), io.BytesIO(bytes(LIMIT + 1))]
    for body in too_large:
        answer = await upload(house, "sky", body)  # type: ignore[arg-type]
        assert (answer.status, answer.body["detail"]) == (413, "the file is larger than 2 MB")
    answer = await upload(house, "sky", gzip.compress(bytes(1 << 28)), headers={"Content-Encoding": "gzip"})
    assert answer.status == 415
    assert (await house.ask("PATCH", f"{PATH}/sea", json={"label": "x" * LIMIT})).status == 413


async def _parts(size: int) -> Any:
    for _ in range(size // 65536 + 1):
        yield bytes(65536)


async def test_a_body_of_no_declared_length_ends_at_the_limit(house: House) -> None:
    answer = await house.ask("POST", f"{PATH}?name=sea", data=_parts(4 * LIMIT), headers={"Content-Type": "audio/wav"})
    assert answer.status == 413


BAD_NAMES = [
    "",
    "%20",
    "a+b",
    "a/b",
    "../x",
    ".a",
    "-a",
    "a%0d%0aX",
    "x" * 65,
    "a.8k",
    "a.16K",
    "a.WAV",
    "r%C4%83",
    "a%00",
]


@pytest.mark.parametrize("name", BAD_NAMES)
async def test_a_name_that_cannot_be_in_a_header_or_an_address_is_refused(house: House, name: str) -> None:
    assert (await upload(house, name)).fields() == {"name"}
    await upload(house, "sea")
    if "%" not in name:
        assert (await house.ask("PATCH", f"{PATH}/sea", json={"name": name})).fields() == {"name"}


async def test_what_an_upload_needs_is_named(house: House) -> None:
    assert (await house.ask("POST", PATH, data=FILE)).fields() == {"name"}
    assert (await house.ask("POST", f"{PATH}?name=a&name=b", data=FILE)).fields() == {"name"}
    assert (await house.ask("POST", f"{PATH}?name=a&x=1", data=FILE)).fields() == {"x"}
    assert (await house.ask("POST", f"{PATH}?name=a&label=", data=FILE)).fields() == {"label"}
    assert (await house.ask("POST", f"{PATH}?name=a&label={'x' * 256}", data=FILE)).fields() == {"label"}


async def test_no_name_is_given_twice_not_even_in_capitals_or_at_once(house: House) -> None:
    assert (await upload(house, "sea")).status == 201
    for name in ("sea", "SEA", "classic", "Classic"):
        answer = await upload(house, name)
        assert (answer.status, answer.fields()) == (409, {"name"})
    statuses = [answer.status for answer in await asyncio.gather(*(upload(house, name) for name in ("sky", "Sky")))]
    assert sorted(statuses) == [201, 409]
    assert len([each for each in await read_ringtones(house.store.reader) if each.created_by]) == 2


async def test_there_is_an_end_to_uploading(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ringtones, "UPLOADED_LIMIT", 1)
    assert [(await upload(house, name)).status for name in ("sea", "sky")] == [201, 409]
    assert (await house.ask("DELETE", f"{PATH}/sea")).status == 204
    assert (await upload(house, "sky")).status == 201


async def test_only_ringtones_that_exist_can_be_chosen(house: House) -> None:
    for place in ("call-settings", "agents/an", "queues/sales", "hotlines/1900"):
        answer = await house.ask("PUT", f"{API}/{place}", json={"ringtone": "sea"})
        assert (answer.status, answer.body["errors"]) == (
            422, [{"field": "ringtone", "message": "there is no ringtone sea"}],
        )  # fmt: skip
    assert (house.rules_changes, await house.audit()) == (0, [])
    assert (await house.ask("GET", f"{API}/agents/an")).status == 404
    await upload(house)
    assert await choose_everywhere(house, "sea") == [200, 201, 201, 201]
    assert await choose_everywhere(house, None) == [200, 200, 200, 200]


async def test_a_used_ringtone_says_where_and_stays(house: House) -> None:
    await upload(house)
    await choose_everywhere(house, "sea")
    assert (await house.ask("GET", f"{PATH}/sea")).body["used_by"] == EVERYWHERE
    answer = await house.ask("DELETE", f"{PATH}/sea")
    assert (answer.status, answer.body["used_by"]) == (409, EVERYWHERE)
    await choose_everywhere(house, None)
    path = phone_path((await house.ask("GET", f"{PATH}/sea")).body)
    assert (await house.ask("DELETE", f"{PATH}/sea")).status == 204
    assert (await fetch(house, path)).status == 404
    assert (await house.ask("DELETE", f"{PATH}/sea")).status == 404


async def test_choosing_and_removing_at_once_never_leaves_a_choice_of_nothing(house: House) -> None:
    for n in range(8):
        await upload(house, f"t{n}")
        chosen, removed = await asyncio.gather(
            house.ask("PUT", f"{API}/queues/q{n}", json={"ringtone": f"t{n}"}),
            house.ask("DELETE", f"{PATH}/t{n}"),
        )
        assert (chosen.status, removed.status) in ((201, 409), (422, 204))


async def test_a_new_name_follows_into_every_use_at_once_and_into_the_log(house: House) -> None:
    old = (await upload(house)).body
    await choose_everywhere(house, "sea")
    before = (await read_settings(house.store.reader)).version
    answer = await house.ask("PATCH", f"{PATH}/sea", json={"name": "ocean", "label": "Ocean"})
    assert (answer.status, answer.body["name"], answer.body["label"]) == (200, "ocean", "Ocean")
    assert answer.body["used_by"] == EVERYWHERE
    stored = await read_settings(house.store.reader)
    assert (stored.settings.ringtone, stored.version) == ("ocean", before + 1)
    for place in ("call-settings", "agents/an", "queues/sales", "hotlines/1900"):
        assert (await house.ask("GET", f"{API}/{place}")).body["ringtone"] == "ocean"
    assert (await house.ask("GET", f"{PATH}/sea")).status == 404
    assert (await fetch(house, phone_path(old))).status == 404
    assert (await fetch(house, phone_path(answer.body))).status == 200
    noted = [(entry["action"], entry["object"], entry["new"]) for entry in reversed(await house.audit())][-5:]
    follows = {"ringtone": "ocean"}
    assert noted == [
        ("ringtone.change", "ringtone:sea", {"name": "ocean", "label": "Ocean"}),
        ("call_settings.change", "call_settings", follows),
        ("agent.change", "agent:an", follows),
        ("queue.change", "queue:sales", follows),
        ("hotline.change", "hotline:1900", follows),
    ]


async def test_another_label_or_other_capitals_keep_the_rest(house: House) -> None:
    shown = (await upload(house)).body
    answer = await house.ask("PATCH", f"{PATH}/sea", json={"label": "Biển"})
    assert answer.body == {**shown, "label": "Biển"}
    assert (await house.ask("PATCH", f"{PATH}/sea", json={})).body == answer.body
    assert (await house.ask("PATCH", f"{PATH}/sea", json={"name": "Sea"})).body["name"] == "Sea"
    await upload(house, "sky")
    for name in ("sky", "SKY", "harp"):
        assert (await house.ask("PATCH", f"{PATH}/Sea", json={"name": name})).fields() == {"name"}
    for wrong in ({"name": 1}, {"label": ""}, {"label": "a\nb"}, {"kind": "built_in"}):
        assert (await house.ask("PATCH", f"{PATH}/Sea", json=wrong)).status == 422
    assert (await house.ask("PATCH", f"{PATH}/nobody", json={"label": "x"})).status == 404


async def test_a_built_in_one_stays_as_it_is(house: House) -> None:
    assert (await house.ask("PATCH", f"{PATH}/harp", json={"label": "x"})).status == 409
    assert (await house.ask("DELETE", f"{PATH}/harp")).status == 409


async def test_the_log_says_what_was_uploaded_and_holds_neither_sound_nor_address(house: House) -> None:
    shown = (await upload(house)).body
    await house.ask("DELETE", f"{PATH}/sea")
    entries = await house.audit()
    assert [(entry["action"], entry["object"]) for entry in entries] == [
        ("ringtone.delete", "ringtone:sea"),
        ("ringtone.create", "ringtone:sea"),
    ]
    assert entries[1]["new"].keys() == {"label", "duration_ms", "digest"}
    assert phone_path(shown).split("/")[2] not in str(entries)


async def test_the_list_is_read_in_pages(house: House) -> None:
    for name in ("b", "a", "C"):
        await upload(house, name)
    names: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await house.ask("GET", f"{PATH}?limit=3{cursor and '&cursor=' + cursor}")).body
        names += [each["name"] for each in page["items"]]
        cursor = page["next"]
    assert names == [*sorted(BUILT_IN), "C", "a", "b"]
    assert (await house.ask("GET", f"{PATH}?cursor=WzFd")).fields() == {"cursor"}


async def test_a_page_plays_the_sound_and_asks_each_time_whether_it_is_the_same(house: House) -> None:
    await upload(house)
    headers = house.headers(Role.SUPERVISOR)
    first = await fetch(house, f"{PATH}/sea/audio", **headers)
    assert (first.status, heard(first.body)[0]) == (200, 16_000)
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert heard((await fetch(house, f"{PATH}/sea/audio?rate=8000", **headers)).body)[0] == 8_000
    again = await fetch(house, f"{PATH}/sea/audio", If_None_Match=first.headers["ETag"], **headers)
    assert (again.status, again.body) == (304, b"")
    await house.ask("DELETE", f"{PATH}/sea")
    await upload(house, file=encoded(tone(hertz=900)))
    other = await fetch(house, f"{PATH}/sea/audio", If_None_Match=first.headers["ETag"], **headers)
    assert (other.status, round(pitch(other.body), -1)) == (200, 900)
    assert (await house.ask("GET", f"{PATH}/sea/audio?rate=44100")).fields() == {"rate"}
    assert (await house.ask("GET", f"{PATH}/nobody/audio")).status == 404


async def test_phones_may_keep_a_file_for_ever_and_ask_for_its_head_or_a_part(house: House) -> None:
    path = phone_path((await upload(house)).body)
    whole = await fetch(house, path)
    assert whole.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    head = await fetch(house, path, "HEAD")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(whole.body)))
    assert head.headers["ETag"] == whole.headers["ETag"]
    for method in ("GET", "HEAD"):
        for known in (f'"x", {whole.headers["ETag"]}', f"W/{whole.headers['ETag']}", "*"):
            same = await fetch(house, path, method, If_None_Match=known)
            assert (same.status, same.body, same.headers["ETag"]) == (304, b"", whole.headers["ETag"])
            assert same.headers["Cache-Control"] == whole.headers["Cache-Control"]
    narrow = await fetch(house, path.replace(".wav", ".8k.wav"), If_None_Match=whole.headers["ETag"])
    assert (narrow.status, narrow.headers["ETag"] == whole.headers["ETag"]) == (200, False)
    assert (whole.headers["X-Content-Type-Options"], "Set-Cookie" in whole.headers) == ("nosniff", False)
    size = len(whole.body)
    for asked, part in (
        ("0-1", slice(2)),
        ("44-", slice(44, None)),
        ("-10", slice(-10, None)),
        ("9-99999999", slice(9, None)),
    ):
        answer = await fetch(house, path, Range=f"bytes={asked}")
        assert (answer.status, answer.body) == (206, whole.body[part])
        start, stop, _ = part.indices(size)
        assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{size}"
    assert (await fetch(house, path, Range="bytes=0-1", If_Range='"other"')).status == 200
    assert (await fetch(house, path, Range="bytes=0-1", If_Range=whole.headers["ETag"])).status == 206
    beyond = await fetch(house, path, Range=f"bytes={size}-")
    assert (beyond.status, beyond.headers["Content-Range"]) == (416, f"bytes */{size}")
    for odd in ("bytes=5-2", "bytes=0-1,4-5", "bytes=x", "lines=1-2", "bytes=--1"):
        assert (await fetch(house, path, Range=odd)).status in (200, 416)


async def test_an_address_is_nothing_without_its_own_key(house: House) -> None:
    sea, harp = (await upload(house)).body, (await house.ask("GET", f"{PATH}/harp")).body
    _, _, key, file = phone_path(sea).split("/")
    other = phone_path(harp).split("/")[2]
    assert len(key) == 22
    assert key != other
    wrong = [
        f"/ringtones/{other}/{file}", f"/ringtones/{key[:-1]}/{file}", f"/ringtones/{key}x/{file}",
        f"/ringtones/{key.swapcase()}/{file}", f"/ringtones/%C3%A9/{file}", f"/ringtones/%00/{file}",
        f"/ringtones/{key}/harp.wav", f"/ringtones/{key}/sea", f"/ringtones/{key}/sea.mp3", f"/ringtones/{key}/Sea.wav",
        f"/ringtones/{key}/sea.8k.8k.wav", f"/ringtones/{key}/..%2f..%2fsounds%2fharp.16k.wav",
        f"/ringtones/{key}/..", f"/ringtones/{key}/%2e%2e%2fsea.wav", f"/ringtones/{key}/sea.wav%00",
        f"/ringtones/{key}/sea.wav%0a", f"/ringtones/{key}/", f"/ringtones/{key}", "/ringtones/", f"/ringtones//{file}",
    ]  # fmt: skip
    answers = {path: await fetch(house, path) for path in wrong}
    assert {path for path, answer in answers.items() if answer.status != 404} == set()
    for path, answer in answers.items():
        assert "max-age" not in answer.headers.get("Cache-Control", ""), path  # tomorrow it may be there
    said = {json.loads(answer.body)["detail"] for path, answer in answers.items() if path.endswith(".wav")}
    assert len(said) == 1  # nobody learns which part of it was right
    assert (await fetch(house, phone_path(sea) + "?model=T46")).status == 200


async def test_an_address_stays_the_same_after_a_restart_and_is_the_servers_own(tmp_path: Any) -> None:
    public = "https://calls.example.com/pbx"
    async with open_house(tmp_path, public_url=public) as house:
        sea, harp = (await upload(house)).body, (await house.ask("GET", f"{PATH}/harp")).body
    assert sea["url"].startswith(f"{public}/ringtones/")
    assert (sea["url"].endswith("/sea.wav"), sea["url_8k"].endswith("/sea.8k.wav")) == (True, True)
    async with open_house(tmp_path, public_url=public) as house:
        assert (await house.ask("GET", f"{PATH}/sea")).body == sea
        assert (await house.ask("GET", f"{PATH}/harp")).body == harp
        assert (await fetch(house, phone_path(sea).removeprefix("/pbx"))).status == 200


async def test_no_two_servers_have_the_same_addresses(tmp_path: Any) -> None:
    found = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        async with open_house(tmp_path / name) as house:
            found.add(phone_path((await house.ask("GET", f"{PATH}/harp")).body))
    assert len(found) == 2


async def test_another_site_cannot_upload_through_a_signed_in_browser(house: House) -> None:
    headers = await house.sign_in_as(Role.ADMIN)
    form = FormData()
    form.add_field("file", FILE, filename="sea.ogg")
    without = {name: value for name, value in headers.items() if name == "Cookie"}
    assert (await house.ask("POST", f"{PATH}?name=sea", None, data=FILE, headers=without)).status == 403
    assert (await house.ask("POST", f"{PATH}?name=sea", None, data=form, headers=without)).status == 403
    assert (await house.ask("POST", f"{PATH}?name=sea", None, data=FILE, headers=headers)).status == 201


async def test_calls_go_on_while_a_file_is_read(house: House) -> None:
    large = encoded(tone(30, 32_000), 32_000)
    uploads = [asyncio.create_task(upload(house, f"t{n}", large)) for n in range(3)]
    answers = 0
    while not all(task.done() for task in uploads):
        assert (await house.ask("GET", "/healthz")).status == 200
        answers += 1
    assert [task.result().status for task in uploads] == [201, 201, 201]
    assert answers > 20


async def test_no_file_breaks_the_server(house: House) -> None:
    loop = asyncio.get_running_loop()
    samples = [encoded(tone(0.3), kind=kind) for kind in ("WAV", "MP3", "OGG")]

    @settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(samples), st.integers(0, 30_000), st.binary(max_size=30), st.integers(0, 30))
    def attempt(file: bytes, at: int, put: bytes, cut: int) -> None:
        changed = file[: at % len(file)] + put + file[at % len(file) + cut :]
        answer = asyncio.run_coroutine_threadsafe(upload(house, "sea", changed), loop).result(30)
        assert answer.status in (201, 422)
        if answer.status == 201:
            asyncio.run_coroutine_threadsafe(house.ask("DELETE", f"{PATH}/sea"), loop).result(30)

    await asyncio.to_thread(attempt)
