"""Fills the templates of `config/` for one Asterisk; a placeholder is written as @NAME@."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tests.live.ports import TRUNK_HOST

if TYPE_CHECKING:
    from tests.live.asterisk import Asterisk

TEMPLATES = Path(__file__).parent / "config"
# Parts of another file, not files of their own.
PARTS = {"manager_callwarden.conf", "pjsip_agent.conf", "pjsip_load_agent.conf"}
FIRST_AGENT, FIRST_LOAD_AGENT = 1001, 2001
# The product's snippet which sets the ringtone; the bench calls it where it is loaded.
RING_CONTEXT = "callwarden-ringtone"


def write_config(pbx: Asterisk) -> None:
    """Make the folders of `pbx` and write every configuration file.

    The data folder stays the installed one: sounds and the XML documentation are there.
    """
    for name in ("etc", "lib/music", "run", "log/cdr-csv", "spool"):
        (pbx.folder / name).mkdir(parents=True)
    # Ten seconds of silence: without a file there would be no MusicOnHoldStart.
    (pbx.folder / "lib/music/hold.sln").write_bytes(bytes(160_000))
    values = _values(pbx)
    for template in sorted(TEMPLATES.glob("*.conf")):
        if template.name not in PARTS:
            text = _fill(template.read_text(), values)
            (pbx.folder / "etc" / template.name).write_text(text)


def _values(pbx: Asterisk) -> dict[str, str]:
    inside = pbx.inside
    load = range(FIRST_LOAD_AGENT, FIRST_LOAD_AGENT + pbx.load_agents)
    agents = range(FIRST_AGENT, FIRST_AGENT + pbx.agents)
    return {
        "ETC": str(inside / "etc"),
        "LIB": str(inside / "lib"),
        "RUN": str(inside / "run"),
        "LOG": str(inside / "log"),
        "SPOOL": str(inside / "spool"),
        "MUSIC": str(inside / "lib/music"),
        "RTP_FIRST": str(pbx.rtp_ports[0]),
        "RTP_LAST": str(pbx.rtp_ports[1]),
        "AMI_PORT": str(pbx.ami_port),
        "AMI_SECRET": pbx.secret,
        "CALLWARDEN_USER": (
            pbx.manager_stanza(pbx.secret)
            if pbx.manager_stanza
            else _part("manager_callwarden.conf", AMI_SECRET=pbx.secret)
        ),
        "SIP_PORT": str(pbx.sip_port),
        "TRUNK_HOST": TRUNK_HOST,
        "TRUNK_PORT": str(pbx.trunk_port),
        "MOBILE": pbx.mobile,
        "RING_CONTEXT": RING_CONTEXT,
        "EXTRA_DIALPLAN": pbx.extra_dialplan,
        "AGENT_OPTIONS": "\n".join(pbx.agent_options),
        "AGENTS": "".join(_part("pjsip_agent.conf", USER=str(user)) for user in agents),
        "LOAD_AGENTS": "".join(
            _part("pjsip_load_agent.conf", USER=str(user), LOAD_PORT=str(pbx.load_port)) for user in load
        ),
        "LOAD_MEMBERS": "\n".join(f"member => PJSIP/{user}" for user in load),
    }


def _part(name: str, **values: str) -> str:
    return _fill((TEMPLATES / name).read_text(), values)


def _fill(text: str, values: dict[str, str]) -> str:
    return re.sub(r"@([A-Z_]+)@", lambda found: values.get(found[1], found[0]), text)
