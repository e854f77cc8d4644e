"""Reads from the store what the flow is judged and signed by: settings, queues, agents, secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from daemon.call.directory import Directory
from daemon.call.signals import UnixMs
from daemon.delivery.signing import Secret
from daemon.policy.call_settings import QueueSettings, Rulebook
from daemon.store.agents import read_directory
from daemon.store.queues import read_queues
from daemon.store.settings import POPUP_SECRET, keep_inner, read_inner, read_settings
from daemon.store.store import Store
from daemon.store.webhooks import new_secret, read_webhook_secrets, read_webhook_urls

_RULES: Final = ("settings", "queues")
_PEOPLE: Final = ("settings", "agents", "agent_endpoints")


async def read_rules(store: Store) -> tuple[Rulebook, Directory]:
    """Everything the policies and the tracker judge by, as the store has it now."""
    rules = Rules()
    await rules.read(store)
    return rules.rulebook, rules.directory


class Rules:
    """The same for one who asks again and again: only what was written since is read, as it may be 10,000 agents."""

    def __init__(self) -> None:
        self.rulebook = Rulebook()
        self.directory = Directory()
        self._seen: dict[tuple[str, ...], tuple[int, ...]] = {}

    async def read(self, store: Store) -> bool:
        """False: nothing was written since. When it raises, what it left out is read the next time."""
        written = {tables: store.written(*tables) for tables in (_RULES, _PEOPLE)}  # before it is read
        fresh = [tables for tables in written if self._seen.get(tables) != written[tables]]
        if fresh:
            settings = (await read_settings(store.reader)).settings
            if _RULES in fresh:
                queues: Mapping[str, QueueSettings] = await read_queues(store.reader)
                self.rulebook = Rulebook(settings, queues)
                self._seen[_RULES] = written[_RULES]
            if _PEOPLE in fresh:
                self.directory = await read_directory(store.reader, settings.country)
                self._seen[_PEOPLE] = written[_PEOPLE]
        return bool(fresh)


class SigningSecrets:
    """The webhook secrets, in memory because every attempt needs one; and who is told when a webhook has moved."""

    def __init__(self) -> None:
        self._webhooks: Mapping[str, Secret] = MappingProxyType({})
        self._urls: Mapping[str, str] = MappingProxyType({})
        self._popup: Secret | None = None
        self._tell_moved: Callable[[str], None] = _tell_nobody

    async def load(self, store: Store, now: UnixMs) -> None:
        """Read them all; the popup URL's secret is made the first time."""
        found = await read_webhook_secrets(store.reader)
        self._webhooks = MappingProxyType({webhook_id: Secret(text) for webhook_id, text in found.items()})
        self._note_urls(await read_webhook_urls(store.reader))
        kept = await read_inner(store.reader, POPUP_SECRET)
        if kept is None:
            fresh = new_secret()
            kept = await store.writer.change(lambda: keep_inner(POPUP_SECRET, fresh, None, now))
        self._popup = Secret(kept)

    def webhook_secret(self, webhook_id: str) -> Secret | None:
        return self._webhooks.get(webhook_id)

    def popup_secret(self) -> Secret | None:
        return self._popup

    def on_moved(self, tell: Callable[[str], None]) -> None:
        self._tell_moved = tell

    def _note_urls(self, urls: Mapping[str, str]) -> None:
        before, self._urls = self._urls, urls
        for webhook_id, url in urls.items():
            if before.get(webhook_id, url) != url:
                self._tell_moved(webhook_id)


def _tell_nobody(_: str) -> None:
    """Before there is an outbox."""
