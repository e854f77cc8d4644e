"""A little CRM: gets the popup requests as a customer's system would, checks their signature, and shows them."""

from __future__ import annotations

import html
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

_KEPT = 50

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="1"><title>Demo CRM</title>
<style>
body {{ font: 14px/1.5 system-ui, sans-serif; margin: 32px auto; max-width: 900px; padding: 0 16px; color: #1b2430 }}
h1 {{ font-size: 20px; font-weight: 600 }} p {{ color: #5a6675 }}
table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }}
th, td {{ text-align: left; padding: 8px; border-bottom: 1px solid #e3e8ee }} th {{ font-weight: 600 }}
@media (prefers-color-scheme: dark) {{
body {{ background: #14181d; color: #e6eaef }} td, th {{ border-color: #2b333d }} p {{ color: #9aa7b5 }}
}}
</style></head><body>
<h1>Demo CRM</h1>
<p>Each line is a signed request from Callwarden at the moment of answer. In the browser of the agent this page would
have opened by itself.</p>
<table><thead><tr><th>Agent</th><th>Customer</th><th>Hotline</th><th>Direction</th><th>Call</th></tr></thead>
<tbody>{rows}</tbody></table>{empty}</body></html>
"""


@dataclass(frozen=True, slots=True)
class Popup:
    """The six parameters as they arrived."""

    user_id: str
    customer_number: str
    hotline: str
    is_call_out: bool
    call_id: str
    time_answer: int


@dataclass
class Crm:
    """A web server on loopback. `on_popup` hears of every request whose signature is right."""

    on_popup: Callable[[Popup], None]
    popups: deque[Popup] = field(default_factory=lambda: deque(maxlen=_KEPT))
    refused: int = 0
    verifier: Webhook | None = None

    async def start(self, port: int = 0) -> int:
        """Listen on loopback and return the port."""
        app = web.Application()
        app.router.add_get("/customer", self._customer)
        app.router.add_get("/", self._page)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _customer(self, request: web.Request) -> web.Response:
        try:
            assert self.verifier is not None
            self.verifier.verify("", dict(request.headers), json_parse=False)
        except WebhookVerificationError:
            self.refused += 1
            return web.Response(status=401, text="the signature is wrong")
        given = request.query
        popup = Popup(
            user_id=given.get("userId", ""),
            customer_number=given.get("customerNumber", ""),
            hotline=given.get("hotline", ""),
            is_call_out=given.get("isCallOut") == "true",
            call_id=given.get("callId", ""),
            time_answer=int(given.get("timeAnswer") or 0),
        )
        self.popups.appendleft(popup)
        self.on_popup(popup)
        return web.Response(text="opened")

    async def _page(self, _: web.Request) -> web.Response:
        rows = "".join(_row(popup) for popup in self.popups)
        empty = "" if rows else "<p>No call has been answered yet.</p>"
        return web.Response(text=_PAGE.format(rows=rows, empty=empty), content_type="text/html")


def _row(popup: Popup) -> str:
    direction = "outgoing" if popup.is_call_out else "incoming"
    cells = (popup.user_id, popup.customer_number or "anonymous", popup.hotline, direction, popup.call_id)
    return "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"
