"""Which ringtone a phone plays, how it is told so, and what stands in the PBX's database for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.policy.alert_info import Brand, Tone, alert_info, brand_of, is_safe
from daemon.policy.ringtone import Choices, Why, decide, is_ours, order, table
from daemon.store.built_in_ringtones import BUILT_IN
from daemon.store.phone_brands import GENERIC, brand_key, phone_brands

README = Path(__file__).parents[2] / "dialplan/README.md"
URLS = {8000: "http://10.0.0.5:8088/ringtones/a_-b/bird.8k.wav", 16000: "https://x.example/ringtones/k/bird.wav"}
BIRD = Tone("bird", 1, URLS)
EVERY_TONE = [Tone(name, place, urls) for place, name in enumerate(BUILT_IN) for urls in (URLS, {})]
ALL = Choices(
    all_calls="chime",
    phones={"PJSIP/1001": "pulse"},
    queues={"support": "harp"},
    hotlines={"1900": "bird"},
)


@pytest.mark.parametrize(
    ("endpoint", "queue", "hotline", "name", "why"),
    [
        ("PJSIP/1001", "support", "1900", "pulse", Why.AGENT),
        ("PJSIP/1002", "support", "1900", "harp", Why.QUEUE),
        ("PJSIP/1002", "sales", "1900", "bird", Why.HOTLINE),
        ("PJSIP/1002", None, "1901", "chime", Why.ALL_CALLS),
        ("PJSIP/1002", None, None, "chime", Why.ALL_CALLS),
    ],
)
def test_the_agents_own_wins_then_the_queues_then_the_hotlines(
    endpoint: str, queue: str | None, hotline: str | None, name: str, why: Why
) -> None:
    chosen = decide(ALL, endpoint, queue, hotline)
    assert (chosen.ringtone, chosen.why) == (name, why)


def test_where_nothing_is_chosen_the_phone_plays_its_own_and_nothing_is_written() -> None:
    assert decide(Choices(), "PJSIP/1001", "support", "1900").why is Why.NOTHING
    assert table(Choices(), {"PJSIP/1001": "yealink"}, phone_brands(), {}).entries == {}


def looked_up(entries: Mapping[str, str], endpoint: str, queue: str, hotline: str) -> str:
    """As extensions_callwarden.conf does it."""
    keys = (f"agent/{endpoint}", f"queue/{queue}", f"hotline/{hotline}", "all")
    name = next((entries[key] for key in keys if key in entries), "")
    return entries.get(f"ring/{entries.get(f'phone/{endpoint}', '')}/{name}", "")


_NAMES = st.sampled_from(("bird", "chime", "harp"))


@given(
    st.none() | _NAMES,
    st.dictionaries(st.sampled_from(("PJSIP/1", "PJSIP/2")), _NAMES),
    st.dictionaries(st.sampled_from(("support", "sales")), _NAMES),
    st.dictionaries(st.sampled_from(("1900", "+8428")), _NAMES),
)
def test_the_table_says_what_the_policy_decides(
    all_calls: str | None, phones: dict[str, str], queues: dict[str, str], hotlines: dict[str, str]
) -> None:
    choices = Choices(all_calls=all_calls, phones=phones, queues=queues, hotlines=hotlines)
    tones = {name: Tone(name, place) for place, name in enumerate(("bird", "chime", "harp"))}
    brands = {"PJSIP/1": "grandstream", "PJSIP/2": "aastra"}
    entries = table(choices, brands, phone_brands(), tones).entries
    for endpoint, brand in brands.items():
        for queue in ("support", "sales", "other"):
            for hotline in ("1900", "+8428", "1"):
                name = decide(choices, endpoint, queue, hotline).ringtone
                expected = alert_info(phone_brands()[brand], tones[name]) if name else None
                assert looked_up(entries, endpoint, queue, hotline) == (expected or "")
    assert all(map(is_ours, entries))


def test_what_is_no_plain_name_is_not_written_and_said() -> None:
    choices = Choices(
        queues={"a,b": "bird", "ok": "bird", "x)": "bird", "a/b": "bird", "": "bird", "odd": "bi,rd"},
        hotlines={"+84 1": "bird", "1\r\n": "bird", "${EXTEN}": "bird", "*72#": "bird"},
    )
    made = table(choices, {"SIP/1": GENERIC, "PJSIP/1": GENERIC, "PJSIP/a b": GENERIC}, phone_brands(), {"bird": BIRD})
    assert set(made.entries) == {"ring/generic/bird", "queue/ok", "hotline/*72#", "phone/PJSIP/1"}
    assert set(made.refused) == {
        *("a,b", "x)", "a/b", "", "bi,rd", "+84 1", "1\r\n", "${EXTEN}", "SIP/1", "PJSIP/a b"),
    }


def test_what_a_choice_refers_to_is_written_before_it() -> None:
    keys = ["all", "agent/PJSIP/1", "phone/PJSIP/1", "queue/q", "ring/snom/bird"]
    assert order(keys)[:2] == ["ring/snom/bird", "phone/PJSIP/1"]


def test_entries_of_others_are_not_ours() -> None:
    assert [is_ours(key) for key in ("all", "ring/snom/bird", "notes/1", "allow", "rings/x")] == [
        *(True, True, False, False, False),
    ]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("yealink", f"<{URLS[8000]}>"),
        ("snom", f"<{URLS[8000]}>"),
        ("akuvox", f"<{URLS[8000]}>"),
        ("generic", f"<{URLS[8000]}>"),
        ("grandstream", "<http://127.0.0.1>;info=bird"),
        ("fanvil", "<http://127.0.0.1>;info=bird"),
        ("linphone", "<http://127.0.0.1>;info=bird"),
        ("poly", "<http://127.0.0.1/bird>"),
        ("cisco-spa", "Bellcore-r2"),
        ("aastra", "<http://127.0.0.1/Bellcore-dr3>"),
    ],
)
def test_each_make_is_told_in_its_own_form(key: str, expected: str) -> None:
    assert alert_info(phone_brands()[key], BIRD) == expected


def test_without_an_address_for_phones_they_are_told_the_name() -> None:
    assert alert_info(phone_brands()["yealink"], Tone("bird", 1)) == "<http://127.0.0.1>;info=bird;x-line-id=0"


@pytest.mark.parametrize(
    "name",
    ["intercom", "Auto-Answer", "auto_answer", "answer-after", "my.autoanswer", "ring-answer", "alert-autoanswer"],
)
def test_no_form_of_any_make_orders_a_phone_to_answer_by_itself(name: str) -> None:
    tone = Tone(name, 0, {8000: f"http://x/{name}.8k.wav"})
    for brand in phone_brands().values():
        told = alert_info(brand, tone)
        assert told is None or "Bellcore" in told
    assert all(is_safe(alert_info(brand, BIRD) or "") for brand in phone_brands().values())


# As makers and PBXs write the order to answer: Yealink, Snom, Poly and Digium, FreePBX, RFC 5373, SIP URIs.
ORDERS = (
    *("Auto Answer", "info=alert-autoanswer", "info = alert-autoanswer", "answer-after=0", "Answer-After = 0"),
    *("Intercom", "intercom=true", "<http://127.0.0.1>;info=intercom", "ring-answer", "Ring Answer", "Auto_Answer"),
    *("Answer-Mode: Auto", "<sip:x>;answer-after=5", "AUTOANSWER"),
)


@pytest.mark.parametrize("order", ORDERS)
def test_every_way_to_order_an_answer_is_known_and_stands_nowhere_in_the_whole_table(order: str) -> None:
    assert not is_safe(order)
    assert not is_safe(order.replace(" ", "_"))
    forms = [form for brand in phone_brands().values() for form in (brand.sound, brand.named) if form is not None]
    told = [alert_info(brand, tone) for brand in phone_brands().values() for tone in EVERY_TONE]
    assert len(told) == len(phone_brands()) * len(EVERY_TONE)
    for text in (*forms, *filter(None, told)):
        assert plain(order) not in plain(text)


def plain(text: str) -> str:
    return re.sub(r"[\W_]", "", text).lower()


def test_every_built_in_ringtone_can_be_told_to_every_make_with_and_without_an_address() -> None:
    for brand in phone_brands().values():
        for tone in EVERY_TONE:
            told = alert_info(brand, tone)
            assert told is not None
            assert is_safe(told)


@pytest.mark.parametrize(
    "hostile", ["a,b", 'a"b', "a\\b", "a b", "${X}", "a\r\nX: y", "a'b", "é", "(x)", "a" * 256, ""]
)
def test_what_a_dialplan_or_a_manager_reads_as_more_is_never_told(hostile: str) -> None:
    brand = replace(phone_brands()["yealink"], named=None)
    assert alert_info(brand, Tone("x", 0, {8000: f"http://h/{hostile}"} if hostile else {})) is None


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("Yealink SIP-T31G 124.86.0.40", "yealink"),
        ("Grandstream GXP2135 1.0.11.74", "grandstream"),
        ("snomD735/10.1.54.13", "snom"),
        ("PolycomVVX-VVX_411-UA/5.9.5", "poly"),
        ("Cisco/SPA504G-7.4.9c", "cisco-spa"),
        ("Fanvil X4U 2.4.5", "fanvil"),
        ("Aastra 6757i/3.2.2", "aastra"),
        ("Akuvox SP-R53P 53.0.6", "akuvox"),
        ("LinphoneAndroid/5.2.0", "linphone"),
        ("PJSUA v2.14 Linux", None),
        ("not a Yealink", None),
        (None, None),
    ],
)
def test_a_phone_says_itself_of_which_make_it_is(said: str | None, key: str | None) -> None:
    assert brand_of(said, phone_brands()) == key


def test_the_table_of_makes_is_whole() -> None:
    brands = phone_brands()
    assert list(brands)[-1] == GENERIC
    for brand in brands.values():
        assert brand.source
        assert brand.needs
        assert brand.named
        assert not (set(re.findall(r"\{(\w+)\}", f"{brand.sound}{brand.named}")) - {"url", "name", "number"})
        assert len(brand.key) <= 32
    assert [brand_key(text) for text in (None, "snom", " Snom ", "Đời cũ")] == [None, "snom", "snom", GENERIC]
    assert isinstance(brands["snom"], Brand)


def test_what_the_readme_says_of_each_make_is_what_the_table_says() -> None:
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \| [^|]+ \| ([^|]+) \|$", README.read_text(encoding="utf-8"), re.MULTILINE)
    said = {make: words for makes, words in rows for make in makes.split(", ")}
    for brand in phone_brands().values():
        assert said[brand.label or "another"].startswith("yes") is brand.is_confirmed
