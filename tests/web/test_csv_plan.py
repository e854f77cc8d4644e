"""What an import would change is told exactly, by a function of the file and of what is there."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.store.name import key_error, name_error
from daemon.web.csv_file import ROW_LIMIT, read_sheet, write_sheet
from daemon.web.csv_kinds import AGENTS, HOTLINES, QUEUES, Kind
from daemon.web.csv_plan import Action, Plan, make_plan
from daemon.web.problem import FieldError, Problem, invalid
from tests.drawn import examples

AN = {"name": "An", "endpoints": ["PJSIP/1001"], "ringtone": None, "phone_brand": None, "personal_number": None}
BINH = {**AN, "name": "Bình", "endpoints": ["PJSIP/1002"], "personal_number": "+84901701234"}
PRESENT: dict[str, dict[str, Any]] = {"an": AN, "binh": BINH}

_LINE = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("=+-@'\",; 0"), max_size=12)
_KEY = _LINE.filter(lambda text: bool(text.strip()) and text not in (".", ".."))
RINGTONES = frozenset({"bell", "3.Uhr", "1E5"})
_RINGTONE = st.none() | st.sampled_from(sorted(RINGTONES))
_ENDPOINT = st.from_regex(r"(PJSIP|SIP|sofia)/[A-Za-z0-9=+@'\"./-]{1,8}", fullmatch=True).filter(
    lambda text: text.split("/", 1)[1][0] != "/"
)
_AGENTS = st.lists(
    st.tuples(
        _KEY,
        st.fixed_dictionaries(
            {
                "name": _LINE.filter(bool),
                "endpoints": st.lists(_ENDPOINT, max_size=3),
                "ringtone": _RINGTONE,
                "phone_brand": st.none() | _LINE.filter(bool),
                "personal_number": st.none() | st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True),
            }
        ),
    ),
    max_size=6,
    unique_by=(
        lambda item: item[0],
        lambda item: item[1]["personal_number"] or object(),
    ),
)
_QUEUES = st.dictionaries(
    _KEY,
    st.fixed_dictionaries(
        {
            "create_tickets": st.booleans(),
            "ringtone": _RINGTONE,
            "sla_target_percent": st.none() | st.integers(0, 100),
            "sla_answer_within_seconds": st.none() | st.integers(1, 3600),
        }
    ),
)
_HOTLINES = st.dictionaries(_KEY, st.fixed_dictionaries({"label": _LINE, "ringtone": _RINGTONE}))


def plan_of(text: str, present: Any = PRESENT, kind: Kind = AGENTS) -> Plan:
    return make_plan(kind, read_sheet(text.encode(), kind.names, kind.key), present, RINGTONES)


def exported(kind: Kind, present: dict[str, Any], delimiter: str) -> bytes:
    rows = [
        [key, *(column.show(facts[column.name]) for column in kind.columns), *("" for _ in kind.read_only)]
        for key, facts in present.items()
    ]
    return write_sheet(kind.names, rows, delimiter)


def _unshared(agents: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """Each endpoint with the first who has it."""
    taken: set[str] = set()
    found = {}
    for key, facts in agents:
        mine = [e for e in dict.fromkeys(facts["endpoints"]) if e not in taken]
        taken.update(mine)
        found[key] = {**facts, "endpoints": mine}
    return found


def _hardly_meant(key: str, facts: dict[str, Any]) -> bool:
    """As something new: a name that nobody can see or type, or a number that a spreadsheet spoiled."""
    texts = [facts[name] for name in ("name", "label", "phone_brand") if facts.get(name)]
    return bool(key_error(key)) or key[0].isdigit() or any(name_error(text) for text in texts)


@settings(max_examples=examples(300), deadline=None)
@given(
    st.tuples(st.just(AGENTS), _AGENTS.map(_unshared))
    | st.tuples(st.just(QUEUES), _QUEUES)
    | st.tuples(st.just(HOTLINES), _HOTLINES),
    st.sampled_from([",", ";", "\t"]),
)
def test_a_file_that_was_exported_changes_nothing_and_makes_the_same_elsewhere(
    stored: tuple[Kind, dict[str, Any]], delimiter: str
) -> None:
    kind, present = stored
    sheet = read_sheet(exported(kind, present, delimiter), kind.names, kind.key)
    here = make_plan(kind, sheet, present, RINGTONES)
    assert (here.totals["unchanged"], len(here.rows), here.puts) == (len(present), len(present), {})
    elsewhere = make_plan(kind, sheet, {}, RINGTONES)
    refused = {row.key for row in elsewhere.rows if row.action is Action.ERROR}
    assert all(_hardly_meant(key, present[key]) for key in refused)
    assert elsewhere.puts == {key: facts for key, facts in present.items() if key not in refused}


def test_a_refusal_of_what_was_not_given_is_our_bug_and_ends() -> None:
    """It would be asked for again and again otherwise."""

    def broken(_key: str, _given: Any) -> Any:
        raise invalid([FieldError("nonsense", "is wrong")])

    kind = dataclasses.replace(QUEUES, accept=broken)
    with pytest.raises(AssertionError, match="nonsense"):
        make_plan(kind, read_sheet(b"name,create_tickets\nsales,true\n", kind.names, kind.key), {}, RINGTONES)


def test_each_row_tells_what_would_be_of_it() -> None:
    plan = plan_of("user_id,name,endpoints\nan,An Nguyễn,PJSIP/1001 SIP/9\nbinh,Bình,PJSIP/1002\nchi,,sip/3\n")
    assert [row.as_json() for row in plan.rows] == [
        {
            "line": 2,
            "key": "an",
            "action": "update",
            "changes": {
                "name": {"old": "An", "new": "An Nguyễn"},
                "endpoints": {"old": ["PJSIP/1001"], "new": ["PJSIP/1001", "SIP/9"]},
            },
            "errors": [],
        },
        {"line": 3, "key": "binh", "action": "unchanged", "changes": {}, "errors": []},
        {
            "line": 4,
            "key": "chi",
            "action": "create",
            "changes": {
                "name": {"old": None, "new": "chi"},
                "endpoints": {"old": None, "new": ["SIP/3"]},
                "ringtone": {"old": None, "new": None},
                "phone_brand": {"old": None, "new": None},
                "personal_number": {"old": None, "new": None},
            },
            "errors": [],
        },
    ]
    assert plan.totals == {"rows": 3, "create": 1, "update": 1, "unchanged": 1, "error": 0}


def test_a_column_that_is_missing_leaves_its_field_and_an_empty_cell_empties_it() -> None:
    assert plan_of("user_id,ringtone\nbinh,\n").puts == {}
    assert plan_of("user_id,ringtone\nbinh,bell\n").puts == {"binh": {**BINH, "ringtone": "bell"}}
    assert plan_of("user_id,personal_number\nbinh,\n").puts == {"binh": {**BINH, "personal_number": None}}


def test_agents_may_swap_what_is_theirs_in_any_order() -> None:
    text = "user_id,endpoints,personal_number\n{}\n{}\n"
    lines = ["an,PJSIP/1002,'+84901701234", "binh,PJSIP/1001,"]
    for first, second in (lines, lines[::-1]):
        assert plan_of(text.format(first, second)).totals["update"] == 2


@pytest.mark.parametrize(
    ("rows", "errors"),
    [
        ("an,An,PJSIP/1001\nan,,", {"3.user_id": "is in line 2 already"}),
        (",A,", {"2.user_id": "is missing"}),
        ("..,A,", {"2.user_id": "cannot be a name"}),
        (" an,A,", {"2.user_id": "begins or ends with a space"}),
        (
            "8.49E+10,A,",
            {"2.user_id": "was shortened by the spreadsheet; format the column as text and enter it again"},
        ),
        ('"a\nb",A,', {"2.user_id": "must not hold control characters"}),
        ("a" * 129 + ",A,", {"2.user_id": "must be at most 128 characters"}),
        ("an,A", {"2": "has 2 cells where the first line has 3"}),
        ("an,A,,4", {"2": "has 4 cells where the first line has 3"}),
        ('an,"A\x1b[31m",', {"2.name": "must not hold control characters"}),
        ("c,C,PJSIP/1001", {"2.endpoints": "PJSIP/1001 belongs to the agent an; take it away there first"}),
        (
            "c,C,pjsip/7\nd,D,PJSIP/7",
            {"2.endpoints": "PJSIP/7 is also named in line 3", "3.endpoints": "PJSIP/7 is also named in line 2"},
        ),
        (
            "c,C,PJSIP/1001\nan,An,PJSIP/1001",
            {"2.endpoints": "PJSIP/1001 is also named in line 3", "3.endpoints": "PJSIP/1001 is also named in line 2"},
        ),
    ],
)
def test_what_is_wrong_is_said_by_line_and_field(rows: str, errors: dict[str, str]) -> None:
    plan = plan_of(f"user_id,name,endpoints\n{rows}\n")
    assert {error.field: str(error.message) for error in plan.errors()} == errors
    assert set(plan.puts).isdisjoint(row.key for row in plan.rows if row.errors)


def test_every_wrong_field_of_a_row_is_named_once() -> None:
    plan = plan_of(
        "user_id,name,endpoints,ringtone,phone_brand,personal_number\n"
        f"c,{'n' * 256},{'1001 ' * 500},a/b,{'b' * 33},0901701234\n"
    )
    fields = ["2.endpoints", "2.name", "2.personal_number", "2.phone_brand", "2.ringtone"]
    assert sorted(error.field for error in plan.errors()) == fields
    (row,) = plan_of("name,create_tickets\nsales,maybe\n", {}, QUEUES).rows
    assert [error.field for error in row.errors] == ["create_tickets"]


def test_a_switch_is_read_as_spreadsheets_write_it() -> None:
    plan = plan_of("name,create_tickets\na,TRUE\nb,FALSE\nc,\nd,0\ne,Yes\n", {}, QUEUES)
    assert [facts["create_tickets"] for facts in plan.puts.values()] == [True, False, True, False, True]


def test_a_target_or_limit_left_empty_is_as_for_all_calls_and_one_that_is_no_number_is_named() -> None:
    columns = "name,sla_target_percent,sla_answer_within_seconds\n"
    plan = plan_of(f"{columns}a,95,10\nb,, 7 \nc,101,0\nd,80%,20.5\n", {}, QUEUES)
    good = {key: (facts["sla_target_percent"], facts["sla_answer_within_seconds"]) for key, facts in plan.puts.items()}
    assert good == {"a": (95, 10), "b": (None, 7)}
    wrong = [f"{line}.sla_{name}" for line in (4, 5) for name in ("answer_within_seconds", "target_percent")]
    assert sorted(error.field for error in plan.errors()) == wrong


def test_a_file_of_before_there_were_targets_leaves_those_that_are_set() -> None:
    kept = {"create_tickets": True, "ringtone": None, "sla_target_percent": 95, "sla_answer_within_seconds": None}
    plan = plan_of("name,create_tickets\na,false\n", {"a": kept}, QUEUES)
    assert plan.puts == {"a": {**kept, "create_tickets": False}}


def test_what_stands_there_unchanged_is_not_judged_by_the_rules_of_today() -> None:
    old = {"8.4E+10": {**AN, "ringtone": "gone", "endpoints": ["Local/1@x"]}}
    file = exported(AGENTS, old, ",").decode()
    assert plan_of(file, old).totals["unchanged"] == 1
    assert plan_of(file.replace("gone", "bell"), old).totals["update"] == 1


def test_whatever_is_written_must_name_a_ringtone_that_is_there() -> None:
    plan = plan_of("user_id,ringtone\nan,gone\nbinh,bell\nchi,gone\ndung,\n")
    assert [(error.field, str(error.message)) for error in plan.errors()] == [
        ("2.ringtone", "there is no ringtone gone"),
        ("4.ringtone", "there is no ringtone gone"),
    ]
    old = {"an": {**AN, "ringtone": "gone"}}
    assert [error.field for error in plan_of("user_id,name\nan,Anh\n", old).errors()] == ["2.ringtone"]


def test_the_version_stands_for_the_file_and_for_what_it_would_change() -> None:
    text = "user_id,name\nan,Anh\n"
    version = plan_of(text).version
    assert plan_of(text, {**PRESENT, "other": AN | {"endpoints": []}}).version == version
    assert plan_of(text, {**PRESENT, "an": {**AN, "name": "A"}}).version != version
    assert plan_of(text.replace("Anh", "Am")).version != version


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_file_is_read_in_whatever_form_a_spreadsheet_saves_it(encoding: str, delimiter: str, newline: str) -> None:
    text = newline.join(["", delimiter.join(["user_id", ' "name"'.strip(), "ringtone", ""]), "",
                         delimiter.join(["an", '"Ấn; a, b"', "bell", "", ""]), delimiter * 3])  # fmt: skip
    sheet = read_sheet(text.encode(encoding), AGENTS.names, AGENTS.key)
    assert [(row.line, dict(row.cells), row.error) for row in sheet.rows] == [
        (4, {"user_id": "an", "name": "Ấn; a, b", "ringtone": "bell"}, None)
    ]


@pytest.mark.parametrize(
    ("raw", "status", "fields"),
    [
        (b"", 422, {"user_id"}),
        (b"\xef\xbb\xbf\r\n", 422, {"user_id"}),
        (b"name\nAn\n", 422, {"user_id"}),
        (b"user_id,user_id\na,b\n", 422, {"user_id"}),
        (b"user_id,=cmd|x,<script>\na,b\n", 422, {"=cmd|x", "<script>"}),
        (b"USER_ID\na\n", 422, {"user_id", "USER_ID"}),
        (b"user_id,name\n\xc3,x\n", 400, set()),
        (b"user_id,name\na,\x00\n", 400, set()),
        ("user_id,name\na,b\n".encode("utf-16-le"), 400, set()),
        ("user_id,name\na,b\n".encode("utf-32"), 400, set()),
        (b"\xff\xfe\x00", 400, set()),
        (b'user_id,name\na,"b\n', 400, set()),
        (b'user_id,name\na,"b"c\n', 400, set()),
        (b"user_id,name\na," + b"x" * 200_000, 400, set()),
        (b"user_id," + b",".join(b"c%d" % n for n in range(100_000)), 422, None),
        (b"user_id\n" + b"a\n" * (ROW_LIMIT + 1), 422, {""}),
        (b"PK\x03\x04\x14\x00\x06\x00", 400, set()),
    ],
)
def test_a_file_that_cannot_be_read_exactly_is_refused(raw: bytes, status: int, fields: set[str] | None) -> None:
    with pytest.raises(Problem) as refused:
        read_sheet(raw, AGENTS.names, AGENTS.key)
    assert refused.value.status == status
    assert fields is None or {error.field for error in refused.value.errors} == fields
    assert len(refused.value.errors) <= 30
