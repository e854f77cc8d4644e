"""Pages: HTML from templates that escape everything, under a policy that runs no script but our own files.

Whoever is signed in gets them inside the shell: navigation, state of the PBX, language, account.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp_jinja2
from aiohttp import web
from jinja2 import PackageLoader, StrictUndefined

from daemon.store.sessions import new_session_id
from daemon.store.settings import read_settings
from daemon.web.assets import asset_path
from daemon.web.caller import CALLER, Caller
from daemon.web.cookies import form_cookie, session_cookie, set_form
from daemon.web.csrf import FIELD, csrf_token
from daemon.web.formats import Formats
from daemon.web.navigation import sections_of
from daemon.web.problem import Problem
from daemon.web.services import services
from daemon.web.words import Translate, browser_language, translations, translator

PAGES: Final = web.AppKey("pages", frozenset[tuple[str, str]])

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def set_up_pages(app: web.Application) -> None:
    aiohttp_jinja2.setup(
        app,
        loader=PackageLoader("daemon.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def is_page(request: web.Request) -> bool:
    """Whether this is a page of people; all else is for programs."""
    resource = request.match_info.route.resource
    method = "GET" if request.method == "HEAD" else request.method
    return (method, resource.canonical if resource else "") in request.app[PAGES]


async def show(request: web.Request, template: str, status: int = 200, **values: Any) -> web.Response:
    """A page with times and numbers in it: templates get `formats` for the reader and the call centre's zone."""
    parts = services(request)
    zone = (await read_settings(parts.reads)).settings.time_zone
    return page(request, template, status, formats=Formats(language_of(request), zone, parts.clock()), **values)


async def show_many(request: web.Request, template: str, **values: Any) -> web.Response:
    """The same for a page with hundreds of rows: calls are followed while it is written."""
    parts = services(request)
    zone = (await read_settings(parts.reads)).settings.time_zone
    values["formats"] = Formats(language_of(request), zone, parts.clock())
    return await asyncio.to_thread(page, request, template, **values)


def page(
    request: web.Request, template: str, status: int = 200, *, frames: Sequence[str] = (), **values: Any
) -> web.Response:
    """The template with `_`, `ngettext`, `lang`, `address()`, `asset()`, the shell, and the `csrf` field's value.

    `frames` are the only origins whose pages it may show inside itself.
    """
    language = language_of(request)
    known = request.get(CALLER)
    secret = (session_cookie(request) if known else form_cookie(request)) or new_session_id()
    context = {
        "_": translator(language),
        "ngettext": translations(language).ngettext,
        "lang": language,
        "address": lambda path: address(request, path),
        "asset": lambda name: address(request, asset_path(name)),
        "csrf_field": FIELD,
        "csrf": csrf_token(secret),
        "who": known,
        "sections": sections_of(known.role, has_desk=_has_desk(known)) if known else (),
        "path": request.path,
        **values,
    }
    response = aiohttp_jinja2.render_template(template, request, context, status=status)
    response.headers["Content-Security-Policy"] = f"{_POLICY}; frame-src {' '.join(frames)}" if frames else _POLICY
    # With no-referrer a browser sends `Origin: null` with our own forms too (Fetch §3.2), which csrf must refuse.
    response.headers["Referrer-Policy"] = "same-origin"
    if known is None:
        set_form(request, response, secret)
    return response


def _has_desk(known: Caller) -> bool:
    return known.account is not None and known.account.user_id is not None


def language_of(request: web.Request) -> str:
    """The account's, or what the browser prefers."""
    known = request.get(CALLER)
    return known.account.language if known is not None and known.account else browser_language(request)


def words(request: web.Request) -> Translate:
    """`_` for this reader."""
    return translator(language_of(request))


def address(request: web.Request, path: str) -> str:
    """A path of ours as browsers must ask for it: a proxy may serve us below a path of its own."""
    return urlsplit(services(request).public_url or "").path.rstrip("/") + path


def redirect(request: web.Request, path: str) -> web.Response:
    """After a form, or to the sign-in: always by GET (RFC 9110 §15.4.4)."""
    return web.Response(status=303, headers={"Location": address(request, path)})


def wants_page(request: web.Request) -> bool:
    """A person who asks for what is not there: a browser says first that it wants HTML; the API is for programs."""
    return is_page(request) or (
        request.match_info.http_exception is not None
        and not request.path.startswith("/api/")
        and request.headers.get("Accept", "").startswith("text/html")
    )


def problem_page(request: web.Request, problem: Problem) -> web.Response:
    detail = problem.detail[:1].upper() + problem.detail[1:].removesuffix(".") + "."
    is_reading = request.method in ("GET", "HEAD")  # what else is refused is a form, and never a page not allowed
    response = page(request, "problem.html", problem.status, problem=problem, detail=detail, is_reading=is_reading)
    response.headers.update({name: value for name, value in problem.headers.items() if name == "Retry-After"})
    return response
