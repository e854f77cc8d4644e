"""The customer's page inside a ticket: its address for this reader and call, and the origins a page may then frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from yarl import URL

from daemon.call.model import Call, Direction, UserId
from daemon.policy.call_settings import CallSettings
from daemon.policy.popup_url import PARAMETERS, fill
from daemon.policy.screen_pop import parameters
from daemon.web.framing import FRAMINGS, Origin
from daemon.web.services import services

_SANDBOX: Final = "allow-scripts allow-forms allow-popups allow-popups-to-escape-sandbox allow-downloads"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """`refused` is why it cannot be a frame: `site` (it forbids it) or `http` (a browser refuses it on our https)."""

    url: str
    host: str
    refused: str | None
    sandbox: str


def webphone_origins(settings: CallSettings) -> tuple[str, ...]:
    """The same for the webphone's window."""
    return (_source(URL(settings.webphone_embed_url)),) if settings.webphone_embed_url else ()


async def webphone_frame(request: web.Request, call: Call | None, settings: CallSettings, user_id: str) -> Frame | None:
    """The page in the webphone, with the popup's parameters of the current call; without one it knows only who asks."""
    template = settings.webphone_embed_url
    if template is None:
        return None
    nothing = {**dict.fromkeys(PARAMETERS, ""), "userId": user_id}
    return await _frame(request, template, _parameters(call, settings, user_id) if call is not None else nothing)


def frame_origins(settings: CallSettings) -> tuple[str, ...]:
    """For `page(…, frames=…)`: what a page with a ticket on it may frame, nothing else."""
    urls = (settings.incoming_iframe_url, settings.outgoing_iframe_url)
    return tuple(sorted({_source(URL(url)) for url in urls if url}))


async def frame_of(request: web.Request, call: Call, settings: CallSettings, user_id: str | None) -> Frame | None:
    """None: there is no page for calls of this direction. `user_id` is the reader's, if he is an agent."""
    template = _template(call, settings)
    return await _frame(request, template, _parameters(call, settings, user_id)) if template is not None else None


async def _frame(request: web.Request, template: str, values: Mapping[str, str]) -> Frame:
    ours, theirs = our_origin(request), Origin.of(template)
    refused = "http" if (ours.scheme, theirs.scheme) == ("https", "http") else None
    if refused is None and await request.app[FRAMINGS].refuses(template, ours, services(request)):
        refused = "site"
    return Frame(
        url=fill(template, values),
        host=theirs.host,
        refused=refused,
        sandbox=_sandbox(ours, theirs),
    )


def our_origin(request: web.Request) -> Origin:
    """As browsers see us."""
    public = services(request).public_url
    return Origin.of(public or f"{request.scheme}://{request.host}")


def _template(call: Call, settings: CallSettings) -> str | None:
    match call.direction:
        case Direction.INCOMING:
            return settings.incoming_iframe_url
        case Direction.OUTGOING:
            return settings.outgoing_iframe_url
        case Direction.INTERNAL:
            return None


def _parameters(call: Call, settings: CallSettings, user_id: str | None) -> Mapping[str, str]:
    """As the popup's; of a call that nobody answered `timeAnswer` is empty."""
    reader = UserId(user_id or call.user_id or "")
    given = parameters(call, reader, call.answered_at or call.started_at, settings)
    return given if call.answered_at is not None else {**given, "timeAnswer": ""}


def _sandbox(ours: Origin, theirs: Origin) -> str:
    """A site keeps its own origin, or nobody could be signed in there; one of ours must not reach out of its frame."""
    return _SANDBOX if ours == theirs else f"{_SANDBOX} allow-same-origin"


def _source(url: URL) -> str:
    """As a policy names it: no path, ASCII."""
    host = url.raw_host or ""
    port = f":{url.explicit_port}" if url.explicit_port else ""
    return f"{url.scheme}://{f'[{host}]' if ':' in host else host}{port}"
