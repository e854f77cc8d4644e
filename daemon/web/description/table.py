"""All descriptions. A new address of the API has its own here, or a test fails."""

from __future__ import annotations

from typing import Final

from daemon.web.description.access import ACCESS
from daemon.web.description.acting import ACTING
from daemon.web.description.call_files import CALL_FILES
from daemon.web.description.calls import CALLS, EVENTS, TICKETS
from daemon.web.description.desk import DESK
from daemon.web.description.doctor import DOCTOR
from daemon.web.description.model import Descriptions
from daemon.web.description.pbx import PBX
from daemon.web.description.reports import REPORTS
from daemon.web.description.ringtones import RINGTONES
from daemon.web.description.service_level import SERVICE_LEVEL
from daemon.web.description.settings import CALL_SETTINGS, ITSELF, RETENTION
from daemon.web.description.summary import SUMMARY
from daemon.web.description.team import TEAM
from daemon.web.description.wallboard import WALLBOARD
from daemon.web.description.webhooks import DELIVERIES, WEBHOOKS

DESCRIPTIONS: Final[Descriptions] = {
    **CALLS,
    **CALL_FILES,
    **ACTING,
    **TICKETS,
    **SERVICE_LEVEL,
    **SUMMARY,
    **REPORTS,
    **WALLBOARD,
    **DESK,
    **EVENTS,
    **CALL_SETTINGS,
    **RETENTION,
    **TEAM,
    **RINGTONES,
    **WEBHOOKS,
    **DELIVERIES,
    **PBX,
    **DOCTOR,
    **ACCESS,
    **ITSELF,
}
