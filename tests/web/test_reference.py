"""The page `/reference` says what the description says, to everybody who is signed in, and its links lead somewhere."""

from __future__ import annotations

import re
import shlex

import pytest

from daemon.store.role import Role
from daemon.web.description.reference import Reference, reference
from daemon.web.description.table import DESCRIPTIONS
from tests.web.conftest import House
from tests.web.test_openapi import API, described


async def shown(house: House) -> Reference:
    return reference(await described(house), "https://calls.example.com")


async def test_every_address_is_on_the_page_once(house: House) -> None:
    operations = [one for section in (await shown(house)).sections for one in section.operations]
    assert sorted((one.method, one.path.removeprefix(API)) for one in operations) == sorted(DESCRIPTIONS)


async def test_fields_are_told_with_what_they_hold(house: House) -> None:
    (agents,) = (section for section in (await shown(house)).sections if section.title == "Agents")
    (put,) = (one for one in agents.operations if one.method == "PUT")
    assert put.roles == ("admin",)
    assert {field.name: field.kind for field in put.body} == {
        "name": "text, at most 255 characters, or null",
        "endpoints": "list of text, at most 128 characters, at most 20 of them",
        "ringtone": "text or null",
        "phone_brand": "text, at most 32 characters, or null",
        "personal_number": "text or null",
    }
    assert {("200", "Agent"), ("201", "Agent"), ("409", None)} <= {(each.status, each.link) for each in put.replies}


async def test_closed_sets_are_spelt_out_and_objects_are_linked(house: House) -> None:
    things = {thing.name: {field.name: field for field in thing.fields} for thing in (await shown(house)).things}
    assert things["Call"]["state"].kind == "ringing · answered · ended"
    assert things["Call"]["ended_at"].kind == "time or null"
    assert things["DeliveryWithAttempts"]["attempts"].link == "Attempt"
    assert "Attempt" in things
    links = {field.link for fields in things.values() for field in fields.values()} - {None}
    assert links <= set(things)


async def test_every_command_is_one_that_a_shell_understands(house: House) -> None:
    for section in (await shown(house)).sections:
        for operation in section.operations:
            words = shlex.split(operation.curl)
            assert words[0] == "curl"
            assert words[-1].startswith("https://calls.example.com/api/v1/")
            assert not re.search(r"[{}\s]", words[-1])


@pytest.mark.parametrize("role", list(Role))
async def test_everybody_who_is_signed_in_reads_the_page_and_each_link_in_it_leads_somewhere(
    house: House, role: Role
) -> None:
    answer = await house.ask("GET", "/reference", None, headers=await house.sign_in_as(role))
    assert answer.status == 200
    places = set(re.findall(r'id="([^"]+)"', answer.body))
    assert len(re.findall(r'id="([^"]+)"', answer.body)) == len(places)
    assert set(re.findall(r'href="#([^"]+)"', answer.body)) <= places
    assert set(re.findall(r'data-copy="#([^"]+)"', answer.body)) <= places
    assert answer.body.count('<details class="operation"') >= len(DESCRIPTIONS)


async def test_the_address_in_the_commands_is_the_one_that_was_asked(house: House) -> None:
    answer = await house.ask("GET", "/reference", None, headers=await house.sign_in_as(Role.AGENT))
    assert str(house.client.make_url(f"{API}/calls")) in answer.body


async def test_the_address_in_the_commands_is_the_public_one_behind_a_proxy(https_house: House) -> None:
    answer = await https_house.ask("GET", "/reference", None, headers=await https_house.sign_in_as(Role.AGENT))
    assert "https://calls.example.com/api/v1/calls" in answer.body
