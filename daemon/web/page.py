"""Pages: HTML from templates that escape everything, under a policy that runs no script but our own files."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp_jinja2
from aiohttp import web
from jinja2 import PackageLoader, StrictUndefined

from daemon.store.sessions import new_session_id
from daemon.web.caller import CALLER
from daemon.web.cookies import form_cookie, session_cookie, set_form
from daemon.web.csrf import FIELD, csrf_token
from daemon.web.problem import Problem
from daemon.web.services import services
from daemon.web.words import Translate, browser_language, translator

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


def page(request: web.Request, template: str, status: int = 200, **values: Any) -> web.Response:
    """The template with `_`, `lang`, `address()` and the `csrf` field's value, for a session or a form before one."""
    language = language_of(request)
    in_session = request.get(CALLER) is not None
    secret = (session_cookie(request) if in_session else form_cookie(request)) or new_session_id()
    context = {
        "_": translator(language),
        "lang": language,
        "address": lambda path: address(request, path),
        "csrf_field": FIELD,
        "csrf": csrf_token(secret),
        **values,
    }
    response = aiohttp_jinja2.render_template(template, request, context, status=status)
    response.headers["Content-Security-Policy"] = _POLICY
    # With no-referrer a browser sends `Origin: null` with our own forms too (Fetch §3.2), which csrf must refuse.
    response.headers["Referrer-Policy"] = "same-origin"
    if not in_session:
        set_form(request, response, secret)
    return response


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


def problem_page(request: web.Request, problem: Problem) -> web.Response:
    response = page(request, "problem.html", problem.status, problem=problem)
    response.headers.update({name: value for name, value in problem.headers.items() if name == "Retry-After"})
    return response
