"""Ringtones in the store: the built-in ones are the files of `sounds/`, wherever the daemon is; choices are honest."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import insert

from daemon.call.model import PbxName
from daemon.call.signals import UnixMs
from daemon.policy.call_settings import QueueSettings
from daemon.ringtone_facts import RingtoneBook
from daemon.store import built_in_ringtones
from daemon.store.agents import Agent, put_agent, read_agent
from daemon.store.audit import By
from daemon.store.built_in_ringtones import BUILT_IN, built_in_sound
from daemon.store.hotlines import Hotline, put_hotline
from daemon.store.queues import put_queue
from daemon.store.ringtone_address import phone_path, ringtone_at, ringtone_secret
from daemon.store.ringtone_choice import UnknownRingtone
from daemon.store.ringtone_sound import NARROW_HZ, WIDE_HZ, Sound, wav
from daemon.store.ringtones import (
    InUse,
    NameTaken,
    Ringtone,
    add_ringtone,
    change_ringtone,
    delete_ringtone,
    find_ringtone,
    read_ringtone,
    read_ringtones,
    read_wav,
)
from daemon.store.settings import change_settings, keep_inner, read_settings
from daemon.store.store import Store
from daemon.store.tables import settings
from daemon.store.work import Query, Work
from sounds import make

ROOT = Path(__file__).parents[2]
BY = By("an", UnixMs(1_795_340_000_000))
SOUND = Sound(wav(b"\1\0" * 16_000, WIDE_HZ), wav(b"\1\0" * 8_000, NARROW_HZ))


@pytest.fixture(params=["file", "memory"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(f"sqlite:///{tmp_path / 'callwarden.db'}" if request.param == "file" else "sqlite://")
    yield opened
    await opened.close()


async def add(store: Store, name: str, sound: Sound = SOUND) -> Ringtone:
    await store.writer.change(lambda: add_ringtone(name, name, sound, BY))
    found = await find_ringtone(store.reader, name)
    assert found is not None
    return found


def test_the_built_in_ones_are_those_that_the_script_makes() -> None:
    assert set(BUILT_IN) == {tone.name for tone in make.TONES}
    for tone in make.TONES:
        assert built_in_sound(tone.name).wide == (ROOT / "sounds" / f"{tone.name}.16k.wav").read_bytes()
        assert built_in_sound(tone.name).narrow == (ROOT / "sounds" / f"{tone.name}.8k.wav").read_bytes()
        assert built_in_sound(tone.name).duration_ms == tone.seconds * 1000


def test_an_installed_daemon_has_the_sounds_in_its_own_folder(tmp_path: Path) -> None:
    """What setup.py builds, away from the checkout."""
    setuptools = pytest.importorskip("setuptools", "77", "pyproject.toml is written for a newer setuptools")
    assert setuptools
    source, built = tmp_path / "source", tmp_path / "built"
    unwanted = shutil.ignore_patterns("__pycache__", "*.pyc")
    for folder in ("daemon", "sounds"):
        shutil.copytree(ROOT / folder, source / folder, ignore=unwanted)
    for file in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, source / file)
    build = [sys.executable, "setup.py", "-q", "build_py", "--build-lib", str(built)]
    subprocess.run(build, cwd=source, check=True, capture_output=True)
    shutil.rmtree(source)
    ask = (
        "import sys; sys.path.insert(0, sys.argv[1]); import daemon; assert daemon.__file__.startswith(sys.argv[1]); "
        "from daemon.store.built_in_ringtones import BUILT_IN, built_in_sound; "
        "print(sum(built_in_sound(name).duration_ms for name in BUILT_IN))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", ask, str(built)], cwd=tmp_path, check=True, capture_output=True)
    assert int(done.stdout) == sum(tone.seconds for tone in make.TONES) * 1000


async def test_what_was_uploaded_comes_back_byte_for_byte(store: Store) -> None:
    made = await add(store, "sea")
    assert (made.duration_ms, made.created_by, made.created_at, made.digest) == (1000, "an", BY.at, SOUND.digest)
    assert await read_wav(store.reader, "sea", WIDE_HZ) == SOUND.wide
    assert await read_wav(store.reader, "sea", NARROW_HZ) == SOUND.narrow
    assert await read_wav(store.reader, "sky", WIDE_HZ) is None
    assert [each.name for each in await read_ringtones(store.reader)] == [*sorted(BUILT_IN), "sea"]


async def test_every_place_takes_only_what_is_there(store: Store) -> None:
    works = (
        lambda name: put_agent(Agent(user_id="an", name="An", ringtone=name)),
        lambda name: put_queue("sales", QueueSettings(ringtone=name)),
        lambda name: put_hotline(Hotline(number="1900", ringtone=name)),
        lambda name: change_settings({"ringtone": name}, "an", BY.at),
    )
    for work in works:
        with pytest.raises(UnknownRingtone, match="there is no ringtone sea"):
            await store.writer.change(lambda work=work: work("sea"))  # type: ignore[misc]
    assert await read_agent(store.reader, "an") is None
    await add(store, "sea")
    for name in ("sea", "harp", None):
        for work in works:
            await store.writer.change(lambda work=work, name=name: work(name))  # type: ignore[misc]


async def test_a_setting_that_was_written_before_names_were_checked_does_no_harm(store: Store) -> None:
    def spoil() -> Work[None]:
        yield Query(insert(settings), {"key": "ringtone", "value": '["x', "changed_at": 1, "changed_by": None})

    await store.writer.change(spoil)
    assert all(each.used_by == () for each in await read_ringtones(store.reader))


async def test_a_refused_rename_or_removal_changes_nothing(store: Store) -> None:
    await add(store, "sea")
    await add(store, "sky")
    await store.writer.change(lambda: put_queue("sales", QueueSettings(ringtone="sea")))
    before = await read_ringtones(store.reader)
    for taken in ("Sky", "HARP"):
        with pytest.raises(NameTaken):
            await store.writer.change(lambda taken=taken: change_ringtone("sea", taken, "x", BY))  # type: ignore[misc]
    with pytest.raises(InUse) as refused:
        await store.writer.change(lambda: delete_ringtone("sea"))
    assert [use.key for use in refused.value.uses] == ["sales"]
    assert await read_ringtones(store.reader) == before
    assert await store.writer.change(lambda: change_ringtone("nobody", "x", None, BY)) is False
    assert await store.writer.change(lambda: delete_ringtone("nobody")) is False


async def test_the_uses_of_one_are_not_those_of_another(store: Store) -> None:
    await add(store, "sea")
    await add(store, "sky")
    for number, name in (("1", "sea"), ("2", "sky"), ("3", None)):
        hotline = Hotline(number=number, label=f"L{number}", ringtone=name)
        await store.writer.change(lambda hotline=hotline: put_hotline(hotline))  # type: ignore[misc]
    await store.writer.change(lambda: change_ringtone("sea", "ocean", None, BY))
    for name, number in (("ocean", "1"), ("sky", "2")):
        found = await read_ringtone(store.reader, name)
        assert found is not None
        assert [(use.kind, use.key, use.label) for use in found.used_by] == [("hotline", number, f"L{number}")]


async def test_the_same_name_with_another_sound_has_another_address(store: Store) -> None:
    secret = await ringtone_secret(store.reader, store.writer.change, BY.at)
    assert await ringtone_secret(store.reader, store.writer.change, BY.at) == secret
    first = await add(store, "sea")
    key = phone_path(secret, first).split("/")[2]
    assert await ringtone_at(store.reader, key, "sea.8k.wav") == (first, NARROW_HZ)
    await store.writer.change(lambda: delete_ringtone("sea"))
    second = await add(store, "sea", Sound(SOUND.wide + b"\0\0", SOUND.narrow))
    assert await ringtone_at(store.reader, key, "sea.wav") is None
    assert phone_path(secret, second) != phone_path(secret, first)


async def test_what_each_pbx_was_given_is_kept_apart_and_replaced_as_a_whole(store: Store) -> None:
    book = RingtoneBook(lambda: store, None, lambda: BY.at)
    main, other = PbxName("main"), PbxName("m" * 64)
    assert await book.written(main) == frozenset()
    many = frozenset(f"agent/PJSIP/{number}" for number in range(2_000))
    for keys in (many, frozenset({"all", "ring/generic/harp"}), frozenset[str]()):
        await book.keep(main, keys)
        await book.keep(other, frozenset({"queue/đ"}))
        assert (await book.written(main), await book.written(other)) == (keys, frozenset({"queue/đ"}))
    for broken in ("{", "[1]", "7"):
        await store.writer.change(
            lambda broken=broken: keep_inner("ringtones_written main", broken, None, BY.at, replace=True)  # type: ignore[misc]
        )
        assert await book.written(main) == frozenset()
    assert (await read_settings(store.reader)).broken == ()


async def test_without_a_secret_no_address_opens(store: Store) -> None:
    assert await ringtone_at(store.reader, "", "harp.wav") is None


def test_a_folder_that_is_not_there_is_said_by_its_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(built_in_ringtones, "_FOLDERS", (tmp_path / "sounds",))
    built_in_sound.cache_clear()
    try:
        with pytest.raises(FileNotFoundError, match=str(tmp_path)):
            built_in_sound("harp")
    finally:
        built_in_sound.cache_clear()
