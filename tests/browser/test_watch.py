"""The watch itself: what it must not overlook."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.accessible import assert_accessible
from tests.browser.house import House

BAD = {
    "a script in the page": (
        "document.body.append(Object.assign(document.createElement('script'), {text: 'alert(1)'}))",
        "policy",
    ),
    "an inline style": ("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">x</p>')", "policy"),
    "an error of ours": ("setTimeout(() => { throw new Error('ours') })", "uncaught"),
    "a promise nobody waits for": ("void Promise.reject(new Error('ours'))", "uncaught"),
    "a warning": ("console.warn('look')", "console warning"),
    "an answer not announced": ("fetch('/no-such-thing').then(() => {})", "404"),
    "a request that fails": ("fetch('http://127.0.0.1:1/').catch(() => {})", "127.0.0.1:1"),
    "a dialog": ("setTimeout(() => alert(1))", "dialog"),
    "sideways scrolling": ("document.body.style.width = '3000px'", "sideways"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
async def test_the_watch_sees(house: House, what: str) -> None:
    script, words = BAD[what]
    who = await house.visitor()
    await who.open("/sign-in")
    await who.page.evaluate(script)
    await who.page.wait_for_timeout(200)
    with pytest.raises(AssertionError, match=words):
        await who.settle()
    house.people.remove(who)
    await who.context.close()


async def test_an_announced_refusal_that_does_not_come_is_wrong_too(house: House) -> None:
    who = await house.visitor()
    await who.open("/sign-in")
    who.watch.expect(404, "/nowhere")
    with pytest.raises(AssertionError, match="nowhere"):
        await who.settle()
    who.watch.expected.clear()


async def test_axe_sees_what_a_screen_reader_could_not_name(house: House) -> None:
    who = await house.visitor()
    await who.open("/sign-in")
    await assert_accessible(who.page)
    await who.page.evaluate("document.querySelector('label').remove()")
    await expect(who.page.locator("label")).to_have_count(1)
    with pytest.raises(AssertionError, match="label"):
        await assert_accessible(who.page)
