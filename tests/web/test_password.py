"""The own password: what will do, what changing it ends, how it is kept."""

from __future__ import annotations

import re

import pytest
from argon2 import PasswordHasher

from daemon.store import password
from daemon.store.accounts import find_account
from daemon.web.brake import PAIR
from tests.web.browser import Browser, signed_in
from tests.web.conftest import PASSWORD, House

NEW = "another long passphrase"


async def test_a_new_password_counts_and_ends_every_other_session(house: House) -> None:
    here, there = await signed_in(house), await signed_in(house)
    before = here.cookies["callwarden"]
    changed = await here.submit("/password", current=PASSWORD, password=NEW, again=NEW)
    assert (changed.status, changed.location) == (303, "/password?changed=1")
    assert "The password is changed" in (await here.get(changed.location)).text
    assert here.cookies["callwarden"] != before
    assert not await Browser(house, cookies={"callwarden": before}).is_signed_in()
    assert not await there.is_signed_in()
    assert (await Browser(house).sign_in("an", PASSWORD)).status == 403
    assert (await Browser(house).sign_in("an", NEW)).status == 303


@pytest.mark.parametrize(
    ("typed", "status", "message"),
    [
        ({"current": "wrong", "password": NEW, "again": NEW}, 403, "not your present password"),
        ({"current": PASSWORD, "password": NEW, "again": NEW + "x"}, 422, "differ"),
        ({"current": PASSWORD, "password": "short", "again": "short"}, 422, "10 to 256 characters"),
        ({"current": PASSWORD, "password": "a" * 257, "again": "a" * 257}, 422, "10 to 256 characters"),
        ({"current": PASSWORD, "password": "ababababab", "again": "ababababab"}, 422, "different characters"),
        ({"current": PASSWORD, "password": "", "again": ""}, 422, "10 to 256"),
    ],
)
async def test_a_new_password_that_will_not_do_is_told_beside_its_field_and_nothing_changes(
    house: House, typed: dict[str, str], status: int, message: str
) -> None:
    browser = await signed_in(house)
    page = await browser.submit("/password", **typed)
    assert page.status == status
    note = re.search(
        r'aria-invalid="true"\s+aria-describedby="(\w+)-note">\s*<p class="note wrong" id="\1-note">(.*)</p>', page.text
    )
    assert note is not None
    assert message in note[2]
    assert NEW not in page.text
    assert await browser.is_signed_in()
    assert (await Browser(house).sign_in("an", PASSWORD)).status == 303


async def test_the_present_password_cannot_be_guessed_at_an_unlocked_screen(house: House) -> None:
    browser = await signed_in(house)
    statuses = [(await browser.submit("/password", current="x", password=NEW, again=NEW)).status for _ in range(8)]
    assert statuses == [403] * PAIR.free + [429] * 3


async def test_a_password_is_the_same_however_its_letters_are_composed(house: House) -> None:
    browser = await signed_in(house)
    composed, apart = "mật khẩu rất dài", "ma\u0323\u0302t kha\u0302\u0309u ra\u0302\u0301t da\u0300i"
    assert (await browser.submit("/password", current=PASSWORD, password=composed, again=composed)).status == 303
    assert (await Browser(house).sign_in("an", apart)).status == 303


async def test_a_hash_of_older_costs_is_renewed_at_the_sign_in(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.add_account("an")
    monkeypatch.setattr(password, "hasher", PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    assert (await Browser(house).sign_in("an", PASSWORD)).status == 303
    known = await find_account(house.store.reader, "an")
    assert known is not None
    assert "m=16,t=2" in known.password_hash
    assert (await Browser(house).sign_in("an", PASSWORD)).status == 303
