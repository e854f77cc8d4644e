"""A call centre as one might stand in Hồ Chí Minh City on a Monday morning: people, queues, numbers, calls, a CRM.

Everything goes the way an admin's browser would go; the only invention is the clock, which is moved for each call.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import aiohttp
from time_machine import Traveller

from daemon.ami.simulated_house import SimulatedMember, SimulatedPhone
from daemon.call.signals import UnixMs
from daemon.clock import now_ms
from daemon.policy.summary import SummaryReason
from daemon.store.role import Role
from daemon.store.summaries import begin_sending, settle_sending
from daemon.store.work import Work
from daemon.web.csrf import HEADER, csrf_token
from tests.browser.house import PASSWORD, House
from tests.browser.past_weeks import periods_of_past_weeks, units_of_past_weeks
from tests.delivery.receiver import Reply
from tests.whole.house import Api, until

OPENING: Final = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
"""Eight in the morning in Vietnam."""

_AGENTS: Final = {
    "an": ("Nguyễn Văn An", "1001", "yealink"),
    "binh": ("Trần Thị Bình", "1002", "yealink"),
    "chau": ("Lê Minh Châu", "1003", "grandstream"),
    "dung": ("Phạm Quốc Dũng", "1004", "yealink"),
    "giang": ("Võ Hương Giang", "1005", None),
    "khanh": ("Đặng Gia Khánh", "1006", "fanvil"),
}
_PHONES_FREE: Final = ("1007", "1008")
_QUEUES: Final = {"support": (True, "chime"), "sales": (True, None), "vip": (True, "harp"), "night": (False, None)}
_MEMBERS: Final = {
    "support": ("1001", "1002", "1003", "1007"),
    "sales": ("1004", "1005"),
    "vip": ("1001",),
    "night": ("1006",),
}
_HOTLINES: Final = {
    "19001234": ("Chăm sóc khách hàng", None),
    "19001235": ("Bán hàng", "bamboo"),
    "02838221234": ("Văn phòng Quận 1", None),
}
_PEOPLE: Final = {"lan.pham": (Role.SUPERVISOR, None), "an": (Role.AGENT, "an"), "binh": (Role.AGENT, "binh")}
_CUSTOMERS: Final = ("0901701234", "0912845672", "0983456784", "0938112233", "0977654321", "0369258147")
_PAUSES: Final[Mapping[int, tuple[tuple[str, str], ...]]] = {
    2: (("1002", "break"), ("1005", "training")),
    4: (("1002", ""), ("1003", "wrap_up")),
    5: (("1003", ""), ("1004", "back_office")),
    9: (("1004", ""), ("1002", "Đưa con đi học")),
    12: (("1002", ""), ("1003", "break")),
}
_CALLS: Final = (
    *("queue_answered", "queue_abandoned", "direct_answered", "outgoing_answered", "queue_answered"),
    *("blind_transfer", "queue_abandoned", "outgoing_no_answer", "direct_missed", "queue_answered"),
    *("attended_transfer", "outgoing_busy", "queue_timeout", "click_to_call", "queue_answered"),
)

_PROFILE: Final = """<!DOCTYPE html><html lang="vi"><title>Hồ sơ</title><style>
body { font: 14px/1.6 system-ui, sans-serif; margin: 24px; color: #1a202c } h1 { font-size: 18px } dt { color: #566176 }
dd { margin: 0 0 12px } </style><h1>Nguyễn Thị Lan</h1><dl><dt>Gói cước</dt><dd>Gia đình 150 Mbps</dd>
<dt>Hợp đồng</dt><dd>HD-2025-08812, còn 7 tháng</dd><dt>Công nợ</dt><dd>0 đ</dd></dl></html>"""


async def furnish(house: House, clock: Traveller) -> Mapping[str, str]:
    """Fills the house; returns the ids that its pages' addresses need. The clock ends at half past ten."""
    async with _admin(house) as api:
        await _settings(house, api)
        await house.daemon.store.writer.change(lambda: periods_of_past_weeks(OPENING))
        await _people(house, api)
        for unit in units_of_past_weeks(OPENING):
            await house.daemon.store.writer.submit(unit)
        hooks = await _hooks(house, api)
        await _summary(house, api)
        await _calls(house, clock)
        await api.put("call-settings", {"popup_answer_url": "https://crm.example.com/khach-hang?so={customerNumber}"})
        house.crm.plan("/kho/su-kien", Reply(503, body=b"maintenance until noon"))
        house.crm.plan("/zalo", Reply(410, body=b"this group was closed"))
        await house.pbx.play("queue_abandoned", customer=_CUSTOMERS[0], speed=20)  # no popup: nobody answers
        await until(lambda: _nobody_speaks(house))
        clock.shift(timedelta(minutes=4))
        failed = await _failed(house, api)
        (answered,) = (await api.get("calls?outcome=answered&direction=incoming&limit=1"))["items"]
        screen = await api.post("wallboard/links", {"label": "Sảnh tầng 2"})
    secret = screen["url"].rpartition("/")[2]
    return {**hooks, "delivery_id": failed, "call_id": answered["call_id"], "secret": secret}


@asynccontextmanager
async def _admin(house: House) -> AsyncIterator[Api]:
    """The admin `minh.tran`, as his browser speaks to the API: the audit log names him."""
    account = await house.account("minh.tran", Role.ADMIN)
    session_id = await house.session(account.name)
    headers = {"Cookie": f"callwarden={session_id}", HEADER: csrf_token(session_id)}
    async with aiohttp.ClientSession(headers=headers) as session:
        yield Api(session, house.url)


async def _settings(house: House, api: Api) -> None:
    house.crm.plan("/ho-so", Reply(headers={"Content-Type": "text/html; charset=utf-8"}, body=_PROFILE.encode()))
    await api.put(
        "call-settings",
        {
            "popup_answer_url": f"{house.crm.url}/khach-hang?so={{customerNumber}}",
            "incoming_iframe_url": f"{house.crm.url}/ho-so",
            "recording_url": "https://ghi-am.example.com/{pbx}/{callId}.wav",
            "missed_call_merge": "incoming_and_outgoing",
            "sla_target_percent": 85,
            "ringtone": "marimba",
            "disconnect_timeout_seconds": 30,
        },
    )
    for name, (creates, ringtone) in _QUEUES.items():
        own = {"sla_target_percent": 95, "sla_answer_within_seconds": 10} if name == "vip" else {}
        await api.put(f"queues/{name}", {"create_tickets": creates, "ringtone": ringtone, **own})
    for number, (label, ringtone) in _HOTLINES.items():
        await api.put(f"hotlines/{number}", {"label": label, "ringtone": ringtone})


async def _people(house: House, api: Api) -> None:
    phones = [*((number, name) for name, number, _ in _AGENTS.values()), *((one, "") for one in _PHONES_FREE)]
    house.pbx.house.phones = [
        SimulatedPhone(number, f'"{name or number}" <{number}>', number != "1004", "Yealink SIP-T31G 124.86.0.40")
        for number, name in phones
    ] + [SimulatedPhone("trunk", contacts=0)]
    for queue, numbers in _MEMBERS.items():
        members = [SimulatedMember(number, f"PJSIP/{number}", f"PJSIP/{number}") for number in numbers]
        house.pbx.house.queues[queue] = members
    for user_id, (name, number, brand) in _AGENTS.items():
        personal = "+84903111222" if user_id == "an" else None
        body = {"name": name, "endpoints": [f"PJSIP/{number}"], "phone_brand": brand, "personal_number": personal}
        await api.put(f"agents/{user_id}", body)
    for account, (role, agent) in _PEOPLE.items():
        person = {"name": account, "role": role.value, "password": PASSWORD, "user_id": agent, "language": "vi"}
        await api.post("accounts", person)
    for label, role in (("CRM nội bộ", Role.ADMIN), ("Báo cáo hằng ngày", Role.SUPERVISOR)):
        await api.post("tokens", {"role": role.value, "label": label})


async def _hooks(house: House, api: Api) -> dict[str, str]:
    crm = await api.post("webhooks", {"url": f"{house.crm.url}/crm/su-kien", "description": "CRM"})
    missed = {"url": f"{house.crm.url}/zalo", "description": "Nhóm Zalo ca trực", "events": ["call.missed"]}
    await api.post("webhooks", missed)
    store = {"url": f"{house.crm.url}/kho/su-kien", "description": "Kho dữ liệu", "events": ["ticket.created"]}
    await api.post("webhooks", store)
    return {"webhook_id": crm["webhook_id"]}


async def _summary(house: House, api: Api) -> None:
    """To a mailbox, which had it this morning, and to a group that has not answered yet."""
    boss = {"url": "mailtos://callwarden:x@example.com?to=giam-doc@example.com", "label": "Ban giám đốc"}
    team = {"url": "tgram://123456789:abcdefg_hijklmnop/-1001234567", "label": "Nhóm trưởng ca"}
    for target, reason in ((boss, None), (team, SummaryReason.TIMEOUT)):
        made = await api.post("summary/targets", target)
        await house.daemon.store.writer.change(partial(_had, made["target_id"], reason))


def _had(target_id: str, reason: SummaryReason | None) -> Work[None]:
    day, now = OPENING.date() - timedelta(days=1), now_ms()
    yield from begin_sending(target_id, day, now)
    yield from settle_sending(target_id, day, now, reason, None, UnixMs(now + 900_000))


async def _calls(house: House, clock: Traveller) -> None:
    """The morning's calls, some minutes apart, and who is away for a while."""
    chance = random.Random(7)
    for place, scenario in enumerate(_CALLS):
        for number, reason in _PAUSES.get(place, ()):
            for event in house.pbx.house.pause(f"PJSIP/{number}", paused=bool(reason), reason=reason):
                house.pbx.emit(event)
        clock.shift(timedelta(minutes=chance.randint(3, 11), seconds=chance.randint(0, 59)))
        await house.play(scenario, customer=chance.choice(_CUSTOMERS))


async def _nobody_speaks(house: House) -> bool:
    return not list(house.daemon.dispatcher.calls())


async def _failed(house: House, api: Api) -> str:
    found: list[dict[str, Any]] = []

    async def there() -> bool:
        found[:] = (await api.get("deliveries?status=failed"))["items"]
        return bool(found)

    await until(there)
    return str(found[0]["delivery_id"])
