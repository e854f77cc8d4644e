"""Agents, queues and hotlines leave as CSV and come back: looked at first, then all or nothing, never half."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.store.agents import Agent, put_agent
from daemon.store.role import Role
from daemon.web.csv_file import ROW_LIMIT
from daemon.web.csv_kinds import AGENTS
from tests.drawn import examples
from tests.web.conftest import Answer, House, open_house

API = "/api/v1"
CSV = {"Content-Type": "text/csv; charset=utf-8"}
NAMES = [
    "=cmd|' /C calc'!A0",
    "+84",
    "-1;=1+1",
    "@SUM(1,1)",
    "'apostrophe",
    "<script>alert(1)</script>",
    "Nguyễn Văn Ấn",
    'a","=1"',
    "02871081234",
    "\"quoted\" 'twice'",
]


async def send(house: House, kind: str, file: str | bytes, role: Role = Role.ADMIN, **options: Any) -> Answer:
    data = file.encode() if isinstance(file, str) else file
    headers = CSV | options.pop("headers", {})
    query = options.pop("query", "")
    return await house.ask("POST", f"{API}/{kind}/import{query}", role, data=data, headers=headers, **options)


async def apply(house: House, kind: str, file: str | bytes, **headers: str) -> Answer:
    return await send(house, kind, file, query="?preview=false", headers=headers)


async def raw(house: House, kind: str, query: str = "") -> bytes:
    async with house.client.get(f"{API}/{kind}.csv{query}", headers=house.headers(Role.SUPERVISOR)) as response:
        assert response.status == 200
        return await response.read()


async def items(house: House, kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await house.ask("GET", f"{API}/{kind}?limit=200")).body["items"]
    return found


async def test_an_export_is_a_file_that_excel_reads_with_its_diacritics(house: House) -> None:
    form = {"name": "Ấn", "endpoints": ["PJSIP/1001", "SIP/2"], "personal_number": "+84901701234"}
    await house.ask("PUT", f"{API}/agents/an", json=form)
    await house.add_account("an@example", user_id="an")
    await house.ask("PUT", f"{API}/queues/sales", json={"create_tickets": False, "sla_answer_within_seconds": 15})
    await house.ask("PUT", f"{API}/hotlines/02871081234", json={"label": "Hỗ trợ, 24/7", "ringtone": "harp"})
    assert (
        await raw(house, "agents")
        == (
            "\ufeffuser_id,name,endpoints,ringtone,phone_brand,personal_number,account\r\n"
            "an,Ấn,PJSIP/1001 SIP/2,,,'+84901701234,an@example\r\n"
        ).encode()
    )
    assert await raw(house, "queues") == (
        b"\xef\xbb\xbfname,create_tickets,ringtone,sla_target_percent,sla_answer_within_seconds\r\nsales,false,,,15\r\n"
    )
    assert await raw(house, "hotlines", "?delimiter=semicolon") == (
        "\ufeffnumber;label;ringtone\r\n'02871081234;Hỗ trợ, 24/7;harp\r\n".encode()
    )
    answer = await house.ask("GET", f"{API}/agents.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="agents.csv"'
    assert (await house.ask("GET", f"{API}/agents.csv?delimiter=x")).fields() == {"delimiter"}


async def furnish(house: House) -> None:
    for number, name in enumerate(NAMES):
        agent = Agent(user_id=name, name=name, endpoints=(f"PJSIP/={number}",), personal_number=f"+849017000{number}1")
        await house.store.writer.change(lambda agent=agent: put_agent(agent))  # type: ignore[misc]
        await house.ask("PUT", f"{API}/hotlines/0{number}", json={"label": name, "ringtone": "harp"})
        await house.ask("PUT", f"{API}/queues/{number}", json={"create_tickets": bool(number % 2)})


@pytest.mark.parametrize("kind", ["agents", "queues", "hotlines"])
async def test_whatever_is_stored_leaves_and_comes_back_and_is_the_same_elsewhere(
    house: House, tmp_path: Path, kind: str
) -> None:
    await furnish(house)
    for delimiter in ("comma", "semicolon", "tab"):
        file = await raw(house, kind, f"?delimiter={delimiter}")
        for form in (file, file.decode("utf-8-sig").encode("utf-16")):
            answer = await apply(house, kind, form)
            assert (answer.status, answer.body["totals"]["unchanged"]) == (200, len(NAMES)), answer.body
    (tmp_path / "elsewhere").mkdir()
    async with open_house(tmp_path / "elsewhere") as elsewhere:
        answer = await apply(elsewhere, kind, file)
        assert (answer.status, answer.body["totals"]["create"]) == (200, len(NAMES)), answer.body
        assert await items(elsewhere, kind) == await items(house, kind)
        assert await raw(elsewhere, kind, "?delimiter=tab") == file
    assert await house.audit(action=f"{kind[:-1]}.change") == []


async def test_a_preview_is_the_default_and_changes_nothing(house: House) -> None:
    file = "user_id,name,account\nan,An,boss\n"
    answer = await send(house, "agents", file)
    assert answer.status == 200
    assert answer.body == {
        "preview": True,
        "version": answer.headers["ETag"].strip('"'),
        "columns": ["user_id", "name"],
        "ignored_columns": ["account"],
        "totals": {"rows": 1, "create": 1, "update": 0, "unchanged": 0, "error": 0},
        "rows": [
            {
                "line": 2,
                "key": "an",
                "action": "create",
                "changes": {
                    "name": {"old": None, "new": "An"},
                    "endpoints": {"old": None, "new": []},
                    "ringtone": {"old": None, "new": None},
                    "phone_brand": {"old": None, "new": None},
                    "personal_number": {"old": None, "new": None},
                },
                "errors": [],
            }
        ],
    }
    assert (await items(house, "agents"), await house.audit(), house.rules_changes) == ([], [], 0)
    assert (await send(house, "agents", file, query="?preview=yes")).fields() == {"preview"}
    applied = await apply(house, "agents", file, **{"If-Match": answer.headers["ETag"]})
    assert (applied.status, applied.body) == (200, {**answer.body, "preview": False})
    assert [agent["user_id"] for agent in await items(house, "agents")] == ["an"]


async def test_agents_swap_endpoints_and_numbers_and_each_change_is_noted_as_if_it_were_alone(house: House) -> None:
    await apply(
        house,
        "agents",
        "user_id,endpoints,personal_number\nan,PJSIP/1,+84901701234\nbinh,PJSIP/2 PJSIP/3,\nchi,PJSIP/4,+84901700000\n",
    )
    answer = await apply(
        house,
        "agents",
        "user_id,endpoints,personal_number\nbinh,PJSIP/1,'+84901701234\nchi,PJSIP/4,'+84901700000\nan,PJSIP/3;PJSIP/2,\n",
    )
    assert (answer.status, answer.body["totals"]["update"], answer.body["totals"]["unchanged"]) == (200, 2, 1)
    owned = {agent["user_id"]: (agent["endpoints"], agent["personal_number"]) for agent in await items(house, "agents")}
    assert owned == {
        "an": (["PJSIP/3", "PJSIP/2"], None),
        "binh": (["PJSIP/1"], "+84901701234"),
        "chi": (["PJSIP/4"], "+84901700000"),
    }
    entries = {entry["object"]: entry for entry in await house.audit(action="agent.change")}
    assert set(entries) == {"agent:an", "agent:binh"}
    assert (entries["agent:an"]["old"], entries["agent:an"]["new"]) == (
        {"endpoints": ["PJSIP/1"], "personal_number": "+84901701234"},
        {"endpoints": ["PJSIP/3", "PJSIP/2"], "personal_number": None},
    )
    assert (entries["agent:an"]["by"], entries["agent:an"]["remote"]) == (house.named(), "127.0.0.1")
    assert len(await house.audit(action="agent.create")) == 3
    assert house.rules_changes == 2


async def test_one_wrong_row_refuses_the_whole_file(house: House) -> None:
    for kind, file, fields in (
        ("agents", "user_id,endpoints\nan,PJSIP/1\nbinh,1001\nchi,PJSIP/1\n",
         {"2.endpoints", "3.endpoints", "4.endpoints"}),
        ("queues", "name,create_tickets\nsales,false\nsupport,off\n", {"3.create_tickets"}),
        ("hotlines", "number,label\n1900,a\n1900,b\n", {"3.number"}),
    ):  # fmt: skip
        preview = await send(house, kind, file)
        assert (preview.status, preview.body["totals"]["error"]) == (200, len(fields))
        refused = await apply(house, kind, file)
        assert (refused.status, refused.fields()) == (422, fields)
        assert (await items(house, kind), await house.audit(), house.rules_changes) == ([], [], 0)


async def test_agents_that_are_not_in_the_file_stay_and_keep_what_is_theirs(house: House) -> None:
    await house.ask("PUT", f"{API}/agents/an", json={"endpoints": ["PJSIP/1"], "ringtone": "harp"})
    taken = await apply(house, "agents", "user_id,endpoints\nbinh,PJSIP/1\n")
    assert (taken.status, taken.body["errors"][0]["message"]) == (
        422,
        "PJSIP/1 belongs to the agent an; take it away there first",
    )
    assert (await apply(house, "agents", "user_id,name\nbinh,Bình\nan,An\n")).status == 200
    an, binh = await items(house, "agents")
    assert (an["name"], an["endpoints"], an["ringtone"], binh["name"]) == ("An", ["PJSIP/1"], "harp", "Bình")


async def test_what_is_no_longer_as_previewed_is_not_applied(house: House) -> None:
    await house.ask("PUT", f"{API}/queues/sales", json={"create_tickets": True})
    file = "name,create_tickets\nsales,false\nsupport,false\n"
    tag = (await send(house, "queues", file)).headers["ETag"]
    await house.ask("PUT", f"{API}/queues/unrelated", json={})
    assert (await send(house, "queues", file)).headers["ETag"] == tag
    await house.ask("PUT", f"{API}/queues/sales", json={"create_tickets": True, "ringtone": "harp"})
    assert (await apply(house, "queues", file, **{"If-Match": tag})).status == 200  # the same as was seen
    assert (await apply(house, "queues", file, **{"If-Match": tag})).status == 412  # done already
    assert (await apply(house, "queues", file.replace("support", "x"), **{"If-Match": tag})).status == 412
    assert (await apply(house, "queues", file, **{"If-Match": "nonsense"})).status == 412
    assert (await apply(house, "queues", file)).body["totals"]["unchanged"] == 2


async def test_two_admins_with_the_same_preview_do_not_both_win(house: House) -> None:
    await house.ask("PUT", f"{API}/agents/an", json={"name": "An"})
    files = [f"user_id,name\nan,An {n}\n" for n in range(6)]
    tags = [(await send(house, "agents", file)).headers["ETag"] for file in files]
    answers = await asyncio.gather(
        *(apply(house, "agents", file, **{"If-Match": tag}) for file, tag in zip(files, tags, strict=True))
    )
    statuses = sorted(answer.status for answer in answers)
    assert statuses == [200] + [412] * 5
    assert len(await house.audit(action="agent.change")) == 1


async def test_imports_at_the_same_time_are_each_applied_to_what_the_other_left(house: House) -> None:
    files = [f"user_id,endpoints\na{n},PJSIP/{n}\n" for n in range(4)]
    answers = await asyncio.gather(*(apply(house, "agents", file) for file in files))
    assert [answer.status for answer in answers] == [200] * 4
    contested = await asyncio.gather(*(apply(house, "agents", f"user_id,endpoints\nb{n},SIP/1\n") for n in range(4)))
    assert sorted(answer.status for answer in contested) == [200, 422, 422, 422]


async def test_many_agents_put_at_once_are_all_kept_and_one_endpoint_goes_to_one(house: House) -> None:
    answers = await asyncio.gather(
        *(house.ask("PUT", f"{API}/agents/a{n}", json={"endpoints": [f"PJSIP/{n}"]}) for n in range(150))
    )
    assert {answer.status for answer in answers} == {201}
    assert len(await items(house, "agents")) == 150
    contested = await asyncio.gather(
        *(house.ask("PUT", f"{API}/agents/b{n}", json={"endpoints": ["SIP/1"]}) for n in range(20))
    )
    assert sorted(answer.status for answer in contested) == [201] + [409] * 19


async def test_an_agent_shows_whose_account_is_his(house: House) -> None:
    await house.ask("PUT", f"{API}/agents/an", json={})
    await house.ask("PUT", f"{API}/agents/binh", json={})
    await house.add_account("binh@example", user_id="binh")
    await house.add_account("nobody")
    assert [agent["account"] for agent in await items(house, "agents")] == [None, "binh@example"]
    assert (await house.ask("GET", f"{API}/agents/binh")).body["account"] == "binh@example"
    assert (await house.ask("PUT", f"{API}/agents/binh", json={"name": "B"})).body["account"] == "binh@example"
    assert (await house.ask("PUT", f"{API}/agents/binh", json={"account": "x"})).fields() == {"account"}
    await house.ask("PATCH", f"{API}/accounts/binh@example", json={"user_id": "an"})
    assert [agent["account"] for agent in await items(house, "agents")] == ["binh@example", None]


async def test_an_agent_may_be_called_import_and_a_name_may_end_in_csv(house: House) -> None:
    for name in ("import", "agents.csv", ".csv"):
        assert (await house.ask("PUT", f"{API}/agents/{name}", json={})).status == 201
        assert (await house.ask("GET", f"{API}/agents/{name}")).body["user_id"] == name
    file = await raw(house, "agents")
    assert (await apply(house, "agents", file)).body["totals"]["unchanged"] == 3
    assert (await house.ask("DELETE", f"{API}/agents/import")).status == 204


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"{}", "application/json", 415),
        (b"user_id\nan\n", "text/csv; charset=windows-1258", 415),
        (b"user_id\nan\n", "text/html", 415),
        (b"user_id\nan\n", "text/csv", 200),
        (b"user_id\tname\nan\tAn\n", "text/tab-separated-values", 200),
        ("user_id\nẤn\n".encode("cp1258", "replace") + b"\xff", "text/csv", 400),
        (b'user_id,name\nan,"An\n', "text/csv", 400),
        (b"user_id,name\nan,\x00\n", "text/csv", 400),
        (b"user_id\n" + b"x" * 200_000, "text/csv", 400),
        (b"x" * (1024 * 1024 + 1), "text/csv", 413),
        (b"," * (1024 * 1024 - 1), "text/csv", 422),
        (b"user_id,name\n" + b"a," * 400_000, "text/csv", 200),
        (b"", "text/csv", 422),
    ],
)
async def test_hostile_files_are_refused_with_their_reason(
    house: House, data: bytes, content_type: str, status: int
) -> None:
    answer = await house.ask("POST", f"{API}/agents/import", data=data, headers={"Content-Type": content_type})
    assert answer.status == status, answer.body
    assert await items(house, "agents") == []


async def test_no_bytes_break_the_import(house: House) -> None:
    good = 'user_id,name,endpoints,personal_number\r\nan,"Ấn",PJSIP/1 SIP/2,\'+84901701234\r\n'
    loop = asyncio.get_running_loop()
    pieces = st.sampled_from([b'"', b",", b";", b"\t", b"\r", b"\n", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"=", b"'"])
    cut = st.builds(
        lambda file, a, b, c: file[:a] + b + file[a + c :],
        st.sampled_from([good.encode(), good.encode("utf-16")]),
        st.integers(0, 150),
        pieces | st.binary(max_size=6),
        st.integers(0, 9),
    )

    @settings(max_examples=examples(200), deadline=None, suppress_health_check=list(HealthCheck))
    @given(cut | st.binary(max_size=100), st.sampled_from(["agents", "queues", "hotlines"]), st.booleans())
    def attempt(file: bytes, kind: str, preview: bool) -> None:
        query = "" if preview else "?preview=false"
        answer = asyncio.run_coroutine_threadsafe(send(house, kind, file, query=query), loop).result(30)
        assert answer.status in (200, 400, 422), (file, answer)

    await asyncio.to_thread(attempt)


async def test_a_person_reads_the_findings_in_his_language_and_needs_his_sessions_token(house: House) -> None:
    headers = await house.sign_in_as(Role.ADMIN)
    file = b"user_id\nan\nan\n"
    answer = await house.ask("POST", f"{API}/agents/import", None, data=file, headers=CSV | headers)
    assert (answer.status, answer.body["rows"][1]["errors"][0]["field"]) == (200, "user_id")
    del headers["X-CSRF-Token"]
    assert (await house.ask("POST", f"{API}/agents/import", None, data=file, headers=CSV | headers)).status == 403


async def test_as_many_agents_as_a_file_may_hold_are_put_in_within_seconds_and_unchanged_rows_are_not_written(
    house: House,
) -> None:
    rows = "".join(f"agent-{n},Nguyễn {n},PJSIP/{n} SIP/{n},\r\n" for n in range(ROW_LIMIT))
    file = f"user_id,name,endpoints,ringtone\r\n{rows}"
    began = asyncio.get_running_loop().time()
    assert (await apply(house, "agents", file)).body["totals"]["create"] == ROW_LIMIT
    assert asyncio.get_running_loop().time() - began < 15  # the server gives a request 20 s
    assert (await apply(house, "agents", file.replace("Nguyễn 77,", "N 77,"))).body["totals"]["update"] == 1
    assert [entry["object"] for entry in await house.audit(action="agent.change")] == ["agent:agent-77"]
    assert len(await raw(house, "agents")) > 200_000


async def test_what_moves_between_reading_and_writing_is_planned_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody takes the endpoint right after it was seen to be free: the real read, and then a real change."""
    read = AGENTS.read
    moved: list[Agent] = []

    async def read_and_move(reads: Any) -> Any:
        found = await read(reads)
        if not moved:
            moved.append(Agent(user_id="first", name="first", endpoints=("PJSIP/1",)))
            await house.store.writer.change(lambda: put_agent(moved[0]))
        return found

    monkeypatch.setattr("daemon.web.csv_import.AGENTS", replace(AGENTS, read=read_and_move))
    answer = await apply(house, "agents", "user_id,endpoints\nlast,PJSIP/1\n")
    assert (answer.status, answer.fields()) == (422, {"2.endpoints"})
    assert [agent["user_id"] for agent in await items(house, "agents")] == ["first"]
