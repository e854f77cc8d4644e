"""Guesses are slowed more and more; the owner of an account is never kept out by them."""

from __future__ import annotations

import asyncio
import time

import pytest
from argon2 import PasswordHasher

from daemon.call.signals import UnixMs
from daemon.store import password
from daemon.web.brake import ADDRESS, PAIR, Brake
from tests.web.browser import Browser, signed_in
from tests.web.conftest import NOW, PASSWORD, House

HOUR_MS = 3_600_000


async def test_guessing_is_slowed_more_and_more_and_the_owner_gets_in_from_elsewhere(https_house: House) -> None:
    house = https_house
    await house.add_account("an")
    mallory = Browser(house, {"X-Forwarded-For": "203.0.113.66"})
    waits = []
    for _ in range(12):
        page = await mallory.sign_in("an", "guess")
        if page.status == 429:
            waits.append(int(page.headers["Retry-After"]))
            assert "Please wait" in page.text
            house.wait(waits[-1] * 1000)
            assert (await mallory.sign_in("an", "guess")).status == 403
    assert waits == [1, 2, 4, 8, 16, 32, 64]
    assert (await mallory.sign_in("an", PASSWORD)).status == 429  # even the right one: it is not looked at
    owner = Browser(house, {"X-Forwarded-For": "198.51.100.7"})
    assert (await owner.sign_in("an", PASSWORD)).status == 303


async def test_an_address_cannot_try_many_accounts_either(house: House) -> None:
    browser = Browser(house)
    fields = (await browser.get("/sign-in")).forms()["/sign-in"]
    statuses = [
        (await browser.post("/sign-in", {**fields, "name": f"user{n}", "password": "x"})).status
        for n in range(ADDRESS.free + 3)
    ]
    assert statuses == [403] * ADDRESS.free + [429] * 3


async def test_who_came_in_from_an_address_is_not_held_up_by_its_neighbours(house: House) -> None:
    owner = await signed_in(house)
    await owner.submit("/password", "/sign-out")
    browser = Browser(house)
    fields = (await browser.get("/sign-in")).forms()["/sign-in"]
    for n in range(ADDRESS.free + 1):
        await browser.post("/sign-in", {**fields, "name": f"user{n}", "password": "x"})
    assert (await browser.post("/sign-in", {**fields, "name": "binh", "password": "x"})).status == 429
    assert (await owner.sign_in("an", PASSWORD)).status == 303


async def test_a_hundred_guesses_at_once_are_not_a_hundred_free_ones(house: House) -> None:
    await house.add_account("an")
    browser = Browser(house)
    fields = {**(await browser.get("/sign-in")).forms()["/sign-in"], "name": "an", "password": "guess"}
    pages = await asyncio.gather(*(browser.post("/sign-in", fields) for _ in range(100)))
    assert sorted(page.status for page in pages) == [403] * PAIR.free + [429] * (100 - PAIR.free)


async def test_what_anybody_can_write_about_his_address_is_not_believed(https_house: House) -> None:
    house = https_house
    await house.add_account("an")
    browser = Browser(house)
    fields = {**(await browser.get("/sign-in")).forms()["/sign-in"], "name": "an", "password": "guess"}
    statuses = [
        (await browser.post("/sign-in", fields, X_Forwarded_For=f"198.51.100.{n}, 203.0.113.66, 127.0.0.9")).status
        for n in range(PAIR.free + 2)
    ]
    assert statuses == [403] * PAIR.free + [429] * 2
    right = {**fields, "password": PASSWORD}
    assert (await browser.post("/sign-in", right, X_Forwarded_For="192.0.2.9, 203.0.113.66")).status == 429


async def test_without_a_trusted_proxy_the_header_means_nothing(house: House) -> None:
    browser = await signed_in(house, X_Forwarded_For="198.51.100.1")
    assert await browser.is_signed_in()
    assert (await house.audit(action="session.open"))[0]["remote"] == "127.0.0.1"


def test_waits_double_up_to_a_limit_end_and_are_forgotten() -> None:
    brake, now, waits = Brake(), NOW, []
    for _ in range(40):
        wait = brake.begin("an", "192.0.2.1", now)
        waits.append(wait)
        now = UnixMs(now + wait)
        if wait:
            assert brake.begin("an", "192.0.2.1", now) == 0
    assert waits[: PAIR.free + 3] == [0] * PAIR.free + [1000, 2000, 4000]
    assert max(waits) == PAIR.longest_ms
    assert brake.begin("an", "192.0.2.1", UnixMs(now + 2 * HOUR_MS)) == 0


def test_an_ipv6_network_of_one_person_is_one_address() -> None:
    brake = Brake()
    waits = [brake.begin("an", f"2001:db8::{n:x}", NOW) for n in range(10)]
    assert waits[PAIR.free] == 1000
    assert brake.begin("an", "2001:db8:0:1::1", NOW) == 0


def test_a_brake_takes_bounded_memory_whoever_tries() -> None:
    brake = Brake(kept=100)
    for n in range(5_000):
        remote = f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}"
        assert brake.begin(f"user{n}", remote, NOW) == 0
        brake.begin(f"user{n}", f"{remote}", NOW)
        if n % 2:
            brake.succeeded(f"user{n}", remote)
    assert len(brake) <= 300


async def test_an_unknown_account_takes_as_long_as_a_known_one(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(password, "hasher", PasswordHasher(time_cost=4, memory_cost=16 * 1024, parallelism=1))
    await house.add_account("an")

    async def seconds(name: str, n: int) -> float:
        browser = Browser(house)
        fields = (await browser.get("/sign-in")).forms()["/sign-in"]
        house.wait(2 * HOUR_MS)
        began = time.perf_counter()
        assert (await browser.post("/sign-in", {**fields, "name": name, "password": f"x{n}"})).status == 403
        return time.perf_counter() - began

    await seconds("nobody", 0)
    pairs = [(await seconds("an", n), await seconds(f"nobody{n}", n)) for n in range(9)]
    known, unknown = (min(times) for times in zip(*pairs, strict=True))  # the rest is what else the machine did
    assert 0.5 < known / unknown < 2
