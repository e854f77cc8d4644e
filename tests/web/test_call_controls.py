"""What an agent does to his own call: asked of the PBX for him and for nobody else."""

from __future__ import annotations

import pytest

from daemon.acts import CannotAct, Control, Why
from daemon.message import Message
from daemon.store.role import Role
from tests.web.conftest import Answer, House
from tests.web.test_desk import agent

CALL = "/api/v1/desk/calls/main/1795332859.1"


async def act(house: House, headers: dict[str, str], what: str, body: object = None, method: str = "POST") -> Answer:
    return await house.ask(method, f"{CALL}/{what}", None, json={} if body is None else body, headers=headers)


@pytest.mark.parametrize(
    ("method", "what", "body", "control"),
    [
        ("POST", "hangup", None, Control.HANGUP),
        ("POST", "answer", None, Control.ANSWER),
        ("POST", "hold", None, Control.HOLD),
        ("POST", "unhold", None, Control.UNHOLD),
        ("POST", "mute", None, Control.MUTE),
        ("POST", "unmute", None, Control.UNMUTE),
        ("POST", "dtmf", {"digits": "15*#A"}, Control.DTMF),
        ("POST", "transfer", {"number": "0901234567"}, Control.TRANSFER),
        ("POST", "attended-transfer", {"number": "0901234567"}, Control.CONSULT),
        ("DELETE", "attended-transfer", None, Control.RETURN),
    ],
)
async def test_each_control_is_done_for_whoever_is_signed_in(
    house: House, method: str, what: str, body: object, control: Control
) -> None:
    an = await agent(house)
    assert (await act(house, an, what, body, method)).status == 204
    (done,) = house.acts.done
    assert (done.pbx, done.call_id, done.user_id, done.control) == ("main", "1795332859.1", "an", control)
    for role in Role:  # a program is in no call
        assert (await house.ask(method, f"{CALL}/{what}", role, json=body or {})).status == 409
    assert len(house.acts.done) == 1


async def test_a_change_without_the_sessions_token_is_refused(house: House) -> None:
    an = await agent(house)
    assert (await act(house, {"Cookie": an["Cookie"]}, "hangup")).status == 403
    assert house.acts.done == []


@pytest.mark.parametrize("digits", ["", "x", "1 2", "1\r\nAction: Hangup", "1" * 33, "\u0661", "a", 5])
async def test_only_keys_of_a_telephone_are_sent(house: House, digits: object) -> None:
    an = await agent(house)
    assert (await act(house, an, "dtmf", {"digits": digits})).fields() == {"digits"}
    assert house.acts.done == []


async def test_a_transfer_goes_to_a_colleagues_extension_or_to_his_own_number(house: House) -> None:
    an = await agent(house)
    await house.ask("PUT", "/api/v1/agents/binh", json={"endpoints": ["PJSIP/1002"]})
    mobile = {"endpoints": ["PJSIP/chi"], "personal_number": "+84901000001"}
    await house.ask("PUT", "/api/v1/agents/chi", json=mobile)
    await house.ask("PUT", "/api/v1/agents/dung", json={"endpoints": ["PJSIP/dung"]})
    for user_id in ("binh", "chi"):
        assert (await act(house, an, "transfer", {"user_id": user_id})).status == 204
    assert [next(iter(done.numbers)) for done in house.acts.done] == ["1002", "0901000001"]
    for nobody in ("dung", "nobody"):
        assert (await act(house, an, "transfer", {"user_id": nobody})).fields() == {"user_id"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "number"),
        ({"number": "1002", "user_id": "binh"}, "number"),
        ({"number": "1002,1)"}, "number"),
        ({"number": "*72"}, "number"),
        ({"context": "from-trunk", "number": "1002"}, "context"),
    ],
)
async def test_a_transfer_to_something_else_is_refused(house: House, body: dict[str, str], field: str) -> None:
    an = await agent(house)
    for what in ("transfer", "attended-transfer"):
        assert (await act(house, an, what, body)).fields() == {field}
    assert house.acts.done == []


async def test_what_the_pbx_does_not_do_is_said_in_the_readers_language(house: House) -> None:
    an = await agent(house)
    house.acts.refusal = CannotAct(Why.NO_CALL, Message("You are not in this call any more."))
    answer = await act(house, an, "hangup")
    assert (answer.status, answer.body["why"]) == (409, "no_call")
    assert answer.body["detail"]
