"""Calls made for agents: whose phone, which number, how often, and what is said when it cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from daemon.acts import CannotAct, Why
from daemon.message import Message
from daemon.store.role import Role
from tests.web.conftest import Answer, House
from tests.web.test_desk import agent

NUMBER = "0901234567"


async def call(house: House, headers: dict[str, str] | None = None, **body: Any) -> Answer:
    if headers is None:
        return await house.ask("POST", "/api/v1/calls", json=body)
    return await house.ask("POST", "/api/v1/calls", None, json=body, headers=headers)


async def test_an_agent_has_his_own_phones_called_for_him(house: House) -> None:
    an = await agent(house)
    answer = await call(house, an, number="090 123-45.67")
    assert (answer.status, answer.body["number"], answer.body["user_id"]) == (202, NUMBER, "an")
    (order,) = house.acts.orders
    assert (order.user_id, list(order.endpoints), list(order.numbers), order.hotline) == (
        *("an", ["PJSIP/an"]),
        *([NUMBER], None),
    )


async def test_an_agent_cannot_have_a_colleagues_phone_called(house: House) -> None:
    an, _ = await agent(house), await agent(house, "binh")
    assert (await call(house, an, number=NUMBER, user_id="binh")).status == 403
    assert (await call(house, an, number=NUMBER, user_id="an")).status == 202
    assert [order.user_id for order in house.acts.orders] == ["an"]


async def test_supervisors_and_programs_call_for_any_agent_and_must_say_for_whom(house: House) -> None:
    await agent(house)
    boss = await house.sign_in_as(Role.SUPERVISOR)
    assert (await call(house, boss, number=NUMBER, user_id="an")).status == 202
    for role in Role:
        answer = await house.ask("POST", "/api/v1/calls", role, json={"number": NUMBER, "user_id": "an"})
        assert answer.status == 202
    assert (await call(house, number=NUMBER)).status == 409
    assert (await call(house, number=NUMBER, user_id="nobody")).fields() == {"user_id"}
    assert {order.user_id for order in house.acts.orders} == {"an"}


async def test_a_number_from_abroad_and_from_here_is_dialled_in_every_way_the_pbx_may_know(house: House) -> None:
    an = await agent(house)
    for number in ("+84901234567", "+33 1 42 68 53 00"):
        await call(house, an, number=number)
    assert [list(order.numbers) for order in house.acts.orders] == [
        ["0901234567", "+84901234567", "0084901234567"],
        ["+33142685300", "0033142685300"],
    ]


@pytest.mark.parametrize(
    "number",
    [
        *("", " ", "+", "1", "*72", "*720901234567", "#31#0901234567", "0901\r\nAction: DBPut", "0901,1", "0901&0902"),
        *("${SHELL(id)}", "PJSIP/1001", "0901@trunk", "0901;x=1", "s", "an", "٠٩٠١٢٣٤", "0901\u202e234", "0" * 21),
        *("0901|1", "0901]1", "++84901", "84+901", "0x90", "tel:+84901234567"),
    ],
)
async def test_what_is_no_telephone_number_reaches_no_pbx(house: House, number: str) -> None:
    an = await agent(house)
    answer = await call(house, an, number=number)
    assert (answer.status, answer.fields()) == (422, {"number"})
    assert house.acts.orders == []


async def test_only_numbers_of_ours_are_shown_to_a_customer(house: House) -> None:
    an = await agent(house)
    await house.ask("PUT", "/api/v1/hotlines/19001234", json={"label": "Sales"})
    await house.miss(1, hotline="19005555")
    for hotline, status in (("19001234", 202), ("19005555", 202), ("113", 422), ("", 422), ("1900,b=1", 422)):
        assert (await call(house, an, number=NUMBER, hotline=hotline)).status == status, hotline
    assert [order.hotline for order in house.acts.orders] == ["19001234", "19005555"]


async def test_a_customer_of_an_old_ticket_is_called_without_a_hotline_that_is_no_longer_ours(house: House) -> None:
    an = await agent(house)
    await house.ask("PUT", "/api/v1/hotlines/19001234", json={"label": "Sales"})
    for hotline, shown in (("19001234", "19001234"), ("19009999", None)):
        answer = await call(house, an, number=NUMBER, hotline=hotline, hotline_optional=True)
        assert (answer.status, answer.body["hotline"]) == (202, shown)
    assert [order.hotline for order in house.acts.orders] == ["19001234", None]


async def test_ten_calls_a_minute_and_agent_are_enough(house: House) -> None:
    an, binh = await agent(house), await agent(house, "binh")
    assert [(await call(house, an, number=NUMBER)).status for _ in range(11)] == [202] * 10 + [429]
    refused = await call(house, an, number=NUMBER)
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert (await call(house, number=NUMBER, user_id="an")).status == 429  # whoever asks for him
    assert (await call(house, binh, number=NUMBER)).status == 202
    house.wait(60_000)
    assert (await call(house, an, number=NUMBER)).status == 202


@pytest.mark.parametrize(
    ("why", "status"), [(Why.NOT_REGISTERED, 409), (Why.NO_RIGHT, 409), (Why.NO_WAY, 409), (Why.NOT_CONNECTED, 503)]
)
async def test_why_the_pbx_did_not_is_said_in_words_and_in_a_word(house: House, why: Why, status: int) -> None:
    an = await agent(house)
    house.acts.refusal = CannotAct(why, Message("Your phone ({phones}) sleeps.", phones="PJSIP/1"))
    answer = await call(house, an, number=NUMBER)
    assert (answer.status, answer.body["why"]) == (status, why.value)
    assert answer.body["detail"] == "Your phone (PJSIP/1) sleeps."
    assert ("Retry-After" in answer.headers) is (status == 503)
