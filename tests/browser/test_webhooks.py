"""Webhooks and deliveries: from the form to the signature at the receiver, and back when it fails."""

from __future__ import annotations

from playwright.async_api import expect
from standardwebhooks import WebhookVerificationError

from tests.browser.house import House, Person
from tests.delivery.receiver import Reply
from tests.whole.house import until

PATH = "/settings/webhooks"


async def add(who: Person, url: str, description: str) -> str:
    """Adds a webhook by the form; returns the secret as it is shown once."""
    page = who.page
    await who.open(PATH)
    await page.get_by_role("link", name="Add a webhook").click()
    await page.get_by_label("URL").fill(url)
    await page.get_by_label("Description").fill(description)
    await page.get_by_role("button", name="Add the webhook").click()
    await expect(page.locator("#made")).to_be_visible()
    secret = await page.locator("#made-text").inner_text()
    await page.get_by_role("link", name="I have copied it").click()
    await expect(page.get_by_role("heading", name=description, level=1)).to_be_visible()
    return secret


async def test_a_new_webhook_gets_the_next_call_signed_with_the_secret_that_was_shown_once(
    house: House, admin: Person
) -> None:
    secret = await add(admin, house.crm.url + "/hook", "CRM")
    assert secret.startswith("whsec_")
    assert secret not in await admin.page.content()
    await admin.page.get_by_role("button", name="Send a test message").click()
    await expect(admin.page.get_by_role("heading", name="The target took it")).to_be_visible()
    assert [one["type"] for one in house.hooks("/hook", secret)] == ["webhook.test"]
    await house.play("queue_answered")
    told = {one["type"] for one in house.hooks("/hook", secret)}
    assert {"call.ringing", "call.answered", "call.ended", "ticket.created"} <= told


async def test_a_new_secret_signs_from_then_on_and_the_old_one_nothing_more(house: House, admin: Person) -> None:
    page, old = admin.page, await add(admin, house.crm.url + "/hook", "CRM")
    await page.get_by_role("button", name="New secret").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Cancel").click()
    await expect(page.locator("#secret")).to_be_hidden()
    await page.get_by_role("button", name="New secret").click()
    await dialog.get_by_role("button", name="Make a new secret").click()
    await expect(page.locator("#secret")).to_be_visible()
    new = await page.locator("#secret-text").inner_text()
    assert new not in (old, "")
    await page.reload()
    assert new not in await page.content()
    await house.play("queue_answered")
    assert house.hooks("/hook", new)
    try:
        house.crm.got("/hook")[0].verify(old)
    except WebhookVerificationError:
        return
    raise AssertionError("the old secret still signs")


async def test_only_the_events_that_are_ticked_are_sent_and_none_while_paused(house: House, admin: Person) -> None:
    page, secret = admin.page, await add(admin, house.crm.url + "/hook", "CRM")
    for box in await page.get_by_role("group", name="Events").get_by_role("checkbox").all():
        await box.set_checked(await box.get_attribute("value") == "call.missed")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#toasts")).to_contain_text("Saved")
    await house.play("queue_abandoned")
    assert [one["type"] for one in house.hooks("/hook", secret)] == ["call.missed"]
    await page.get_by_role("button", name="Pause").click()
    await expect(page.get_by_role("button", name="Resume")).to_be_visible()
    await house.play("queue_abandoned")
    assert len(house.hooks("/hook", secret)) == 1


async def is_paused(house: House) -> bool:
    """The receiver's answer has arrived and was understood."""
    [webhook] = await house.api.every("webhooks")
    return not webhook["enabled"]


async def test_what_the_receiver_refused_for_good_is_shown_and_sent_again_after_a_press(
    house: House, admin: Person
) -> None:
    page, secret = admin.page, await add(admin, house.crm.url + "/hook", "CRM")
    house.crm.plan("/hook", Reply(410, body=b"<script>alert('moved away')</script>"))
    await house.pbx.play("queue_abandoned", speed=20)
    await until(lambda: is_paused(house))
    await page.reload()
    await expect(page.get_by_role("button", name="Resume")).to_be_visible()
    house.crm.plan("/hook", Reply())
    await page.get_by_role("button", name="Resume").click()
    await page.get_by_role("button", name="again").click()
    await page.get_by_role("dialog").get_by_role("button", name="again").click()
    await house.quiet()
    refused, *later = house.crm.got("/hook")
    taken = [one for one in later if one.webhook_id == refused.webhook_id][-1]  # others may come in between
    assert taken.body == refused.body
    taken.verify(secret)
    await admin.open("/settings/deliveries")
    await page.locator("tbody tr").last.locator("a").first.click()  # the oldest, which was refused
    await expect(page.get_by_text("alert('moved away')").first).to_be_attached()


async def test_wrong_addresses_are_refused_beside_the_field_and_what_was_typed_stays(
    house: House, admin: Person
) -> None:
    page = admin.page
    await admin.open("/settings/new-webhook")
    for wrong in ("http://169.254.169.254/latest", "https://a:b@crm.example.com/", "ftp://crm.example.com/"):
        await page.get_by_label("URL").fill(wrong)
        admin.watch.expect(422, "/api/v1/webhooks")
        await page.get_by_role("button", name="Add the webhook").click()
        await expect(page.locator("#url-wrong")).to_be_visible()
        await expect(page.get_by_label("URL")).to_have_value(wrong)
        await page.get_by_label("Description").fill(wrong)
    assert await house.api.every("webhooks") == []


async def test_a_deleted_webhook_is_gone_after_a_confirmation(house: House, admin: Person) -> None:
    page = admin.page
    await add(admin, house.crm.url + "/hook", "CRM")
    await page.get_by_role("button", name="Delete").click()
    await page.keyboard.press("Escape")  # no is the way out
    assert len(await house.api.every("webhooks")) == 1
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(page).to_have_url(house.url + PATH)
    assert await house.api.every("webhooks") == []
