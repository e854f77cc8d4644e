"""Lines on phones' displays: what stands in them, and that a PBX which does not send them hurts nobody."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from daemon.ami.failures import InjectionRefused
from daemon.ami.phone_message import send_message
from daemon.bus import Bus, CallHappened, PhoneToMessage
from daemon.call.events import CallEnded
from daemon.call.model import Call, PbxName, UserId
from daemon.call.signals import Endpoint
from daemon.phone_messages import PhoneMessages, message_text
from daemon.policy.customer_lookup import Customer
from daemon.policy.decision import MessagePhone, Reason
from tests.ami.conftest import Linked
from tests.factory import NOON, missed, ringing


def wanted(call: Call, endpoint: str = "PJSIP/1001", number: str | None = "84901701234") -> MessagePhone:
    return MessagePhone(call, UserId("an"), Endpoint(endpoint), number, "en", Reason.PHONE_RINGS)


@dataclass
class Sending:
    linked: Linked
    bus: Bus
    messages: PhoneMessages

    def rings(self, call: Call, endpoint: str = "PJSIP/1001") -> None:
        self.bus.publish(PhoneToMessage(wanted(call, endpoint)))

    def sent(self) -> list[tuple[str, str]]:
        asked = [one for one in self.linked.pbx.actions if one["Action"] == "MessageSend"]
        return [(one["To"], b64decode(one["Base64Body"]).decode()) for one in asked]

    async def failed(self, kind: str, times: int = 1) -> None:
        await self.linked.until(lambda: self.messages.failures[kind] == times)


@pytest_asyncio.fixture
async def sending(linked: Linked) -> AsyncIterator[Sending]:
    linked.pbx.house.commands |= {"MessageSend"}
    bus = Bus()
    known = {"lan": Customer(name="Chị Lan")}
    messages = PhoneMessages(bus, {PbxName("main"): linked.link}, lambda _pbx, call_id: known.get(call_id))
    yield Sending(linked, bus, messages)
    await messages.close()


async def test_each_phone_is_told_once_of_a_call_however_often_a_queue_rings_it(sending: Sending) -> None:
    for _ in range(3):
        sending.rings(ringing(queue="support"))
    sending.rings(ringing(queue="support"), "PJSIP/1002")
    await sending.linked.until(lambda: sending.messages.sent == 2)
    text = "Call from 84901701234. Queue: support"
    assert sending.sent() == [("pjsip:1001", text), ("pjsip:1002", text)]
    sending.bus.publish(CallHappened(CallEnded(NOON, missed())))
    assert sending.messages._told == {}


async def test_the_name_that_the_company_knows_goes_before_the_callers_own(sending: Sending) -> None:
    sending.rings(ringing("lan", customer_name="WIRELESS CALLER"))
    await sending.linked.until(lambda: sending.messages.sent == 1)
    assert sending.sent()[0][1] == "Call from Chị Lan, 84901701234. Hotline: 19001234"


@pytest.mark.parametrize(
    "endpoint", ["SIP/1001", "PJSIP/a@b", "PJSIP/1001/sip:x@y", "PJSIP/1\r\nAction: Hangup", "Local/1@x"]
)
async def test_what_is_no_plain_pjsip_endpoint_is_never_written_to(sending: Sending, endpoint: str) -> None:
    sending.rings(ringing(), endpoint)
    await sending.failed("not_pjsip")
    assert sending.sent() == []
    with pytest.raises(InjectionRefused):
        await send_message(sending.linked.link.actions, endpoint, "x")


async def test_what_fails_is_counted_by_kind_logged_once_and_not_tried_again(
    sending: Sending, capsys: pytest.CaptureFixture[str]
) -> None:
    pbx = sending.linked.pbx
    refusals = {"Permission denied": "no_right", "Message failed to send.": "refused"}
    for number, (said, kind) in enumerate(refusals.items()):
        pbx.answers["MessageSend"] = f"Response: Error\r\nActionID: {{id}}\r\nMessage: {said}\r\n\r\n".encode()
        for again in range(3):
            sending.rings(ringing(f"{number}.{again}"))
        await sending.failed(kind, 3)
    del pbx.answers["MessageSend"]
    assert len(sending.sent()) == 6
    pbx.frozen = True
    pbx.drop()
    await sending.linked.until(lambda: sending.linked.link.connected_since is None)
    sending.rings(ringing("gone"))
    await sending.failed("not_connected")
    assert capsys.readouterr().out.count("phone_message_failed") == 3


def test_hostile_names_are_one_short_line_of_what_can_be_seen() -> None:
    hostile = "Eve\r\nAction: Hangup\r\n\r\n\u202eevil\u2028\u0000\x1b[31m" + "x" * 500
    text = message_text(wanted(ringing(customer_name=hostile, queue="a\nb")))
    assert text.isprintable()
    assert text.startswith("Call from Eve Action: Hangup evil [31m")
    assert text.endswith("84901701234. Queue: a b")
    assert len(text) <= 200
    pattern = "{number.__class__} %s"
    assert message_text(wanted(ringing(customer_name=pattern))).startswith(f"Call from {pattern},")


@pytest.mark.parametrize(
    ("changes", "number", "text"),
    [
        ({"customer_name": "Anonymous"}, None, "Call from Number withheld. Hotline: 19001234"),
        ({"customer_name": "84901701234"}, "84901701234", "Call from 84901701234. Hotline: 19001234"),
        ({"hotline": None}, "84901701234", "Call from 84901701234"),
    ],
)
def test_what_is_not_known_is_left_out(changes: dict[str, str | None], number: str | None, text: str) -> None:
    assert message_text(wanted(ringing(**changes), number=number)) == text  # type: ignore[arg-type]
