"""Everything that is looked at, on one screen. One more check is one function (patient -> findings) and one line here.

A check's findings are named `group.what`; it may leave out what does not apply, and needs no care for time or errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from daemon.ami.link import AmiLink
from daemon.call.model import PbxName
from daemon.call.signals import UnixMs
from daemon.config import Config
from daemon.delivery.target_guard import TargetGuard
from daemon.doctor.database import look_at_file, look_at_writing, look_inside
from daemon.doctor.dialplan import look_at_dialplans
from daemon.doctor.examination import Check, Examination
from daemon.doctor.machine import look_at_clock, look_at_disk, look_at_zone
from daemon.doctor.own_address import look_at_address, look_at_daemon
from daemon.doctor.patient import Patient
from daemon.doctor.pbx_link import look_at_events, look_at_links, look_at_zones
from daemon.doctor.phones import look_at_agents, look_at_phones, look_at_qualify
from daemon.doctor.queues import look_at_queues
from daemon.doctor.records import look_at_records
from daemon.doctor.summaries import look_at_summaries
from daemon.doctor.targets import look_at_deliveries, look_at_frames, look_at_targets
from daemon.pbx_desk import PbxDesk
from daemon.store.reader import Reader
from daemon.version import program_version


def inside_daemon(
    config: Config,
    reads: Reader,
    links: Mapping[PbxName, AmiLink],
    desk: PbxDesk,
    guard: TargetGuard,
    clock: Callable[[], UnixMs],
) -> Examination:
    """The doctor of a running daemon: it looks through the daemon's own links. Close it."""
    agent = f"callwarden/{program_version()}"
    patient = Patient(
        config=config,
        reads=reads,
        links=links,
        desk=desk,
        guard=guard,
        clock=clock,
        user_agent=agent,
        is_daemon=True,
    )
    return Examination(patient, CHECKS)


CHECKS: Final = (
    Check("pbx.connected", look_at_links),
    Check("pbx.events", look_at_events),
    Check("pbx.zone", look_at_zones),
    Check("pbx.records", look_at_records),
    Check("dialplan.ringtones", look_at_dialplans),
    Check("phones.agents", look_at_agents),
    Check("phones.registered", look_at_phones),
    Check("phones.qualify", look_at_qualify),
    Check("queues.known", look_at_queues),
    Check("web.daemon", look_at_daemon),
    Check("web.address", look_at_address),
    Check("web.targets", look_at_targets),
    Check("web.frames", look_at_frames),
    Check("web.deliveries", look_at_deliveries),
    Check("web.summary", look_at_summaries),
    Check("machine.database", look_inside),
    Check("machine.database_file", look_at_file),
    Check("machine.writing", look_at_writing),
    Check("machine.disk", look_at_disk),
    Check("machine.clock", look_at_clock),
    Check("machine.zone", look_at_zone),
)
