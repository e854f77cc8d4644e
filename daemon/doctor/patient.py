"""What is examined: a configuration and what stands around it, in a running daemon or beside one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from daemon.ami.link import AmiLink, LinkState
from daemon.call.model import PbxName
from daemon.call.signals import UnixMs
from daemon.config import Config
from daemon.delivery.target_guard import TargetGuard
from daemon.pbx_desk import PbxDesk
from daemon.store.reader import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """`is_daemon`: the links are those that follow calls; else they were made to look, and hear too little to judge."""

    config: Config
    reads: Reader
    links: Mapping[PbxName, AmiLink]
    desk: PbxDesk
    guard: TargetGuard
    clock: Callable[[], UnixMs]
    user_agent: str
    is_daemon: bool

    def connected(self) -> Mapping[PbxName, AmiLink]:
        return {name: link for name, link in self.links.items() if link.state is LinkState.CONNECTED}
