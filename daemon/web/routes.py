"""Every address, what it does and who may use it. A test fails when an address has no entry in its table of roles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aiohttp.typedefs import Handler

from daemon.store.role import Role
from daemon.web import (
    accounts,
    agent_state,
    agents,
    audit,
    call_controls,
    call_export,
    call_settings,
    calls,
    click_to_call,
    colleagues,
    csv_export,
    csv_import,
    deliveries,
    desk,
    discovery,
    doctor,
    events,
    exports,
    health,
    metrics,
    openapi,
    password,
    pbx,
    phone_sounds,
    queues,
    reports,
    retention,
    ringtones,
    session,
    sessions,
    set_up,
    sign_in,
    sla,
    summary,
    tickets,
    tokens,
    wall,
    webhooks,
)
from daemon.web.assets import get_asset, get_icon
from daemon.web.auth import Access
from daemon.web.pages import accounts as account_pages
from daemon.web.pages import agents as agent_pages
from daemon.web.pages import audit as audit_pages
from daemon.web.pages import call as call_page
from daemon.web.pages import call_settings as settings_page
from daemon.web.pages import calls as calls_page
from daemon.web.pages import check_up, home, reference, webphone
from daemon.web.pages import data as data_page
from daemon.web.pages import deliveries as delivery_pages
from daemon.web.pages import desk as desk_page
from daemon.web.pages import hotlines as hotline_pages
from daemon.web.pages import pbx as pbx_page
from daemon.web.pages import queues as queue_pages
from daemon.web.pages import reports as reports_page
from daemon.web.pages import ringtones as ringtones_page
from daemon.web.pages import service_level as service_level_page
from daemon.web.pages import summary as summary_page
from daemon.web.pages import ticket as ticket_page
from daemon.web.pages import tickets as tickets_page
from daemon.web.pages import tokens as token_pages
from daemon.web.pages import wallboard as wallboard_page
from daemon.web.pages import webhooks as webhook_pages


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one address. One below `/api/v1` has its description in `description/` besides, or a test fails:

    add a `Description` to the file of its tag there (a new file is named in `table`): a summary in one sentence, the
    parameters, the body's form, the answers (a new kind of object is a frozen dataclass in `description/answers`) and
    the refusals of its own. The tests ask the real address and compare; `tests/web/test_openapi.py` says what is amiss.
    """

    method: str
    path: str
    handler: Handler
    access: Access
    page: bool = False
    """For people: HTML, by session only (a token opens no page), and whoever is not signed in is led there."""


_ADMIN: Final = frozenset({Role.ADMIN})
_SUPERVISORS: Final = frozenset({Role.ADMIN, Role.SUPERVISOR})
_AGENTS: Final = frozenset(Role)
_API: Final = "/api/v1"

ROUTES: Final = (
    Route("GET", "/healthz", health.healthz, None),
    Route("GET", "/readyz", health.readyz, None),
    Route("GET", "/metrics", metrics.get_metrics, None),  # decides for itself
    Route("GET", f"{_API}/openapi.json", openapi.get_description, None),
    Route("GET", f"{_API}/call-settings", call_settings.get_settings, _SUPERVISORS),
    Route("PUT", f"{_API}/call-settings", call_settings.put_settings, _ADMIN),
    Route("PATCH", f"{_API}/call-settings", call_settings.put_settings, _ADMIN),
    Route("POST", f"{_API}/call-settings/try-popup", call_settings.try_popup, _ADMIN),
    Route("POST", f"{_API}/call-settings/try-lookup", call_settings.try_lookup, _ADMIN),
    Route("POST", f"{_API}/call-settings/rotate-popup-secret", call_settings.rotate_popup_secret, _ADMIN),
    Route("GET", f"{_API}/agents", agents.list_agents, _SUPERVISORS),
    Route("GET", f"{_API}/agents/{{user_id}}", agents.get_agent, _SUPERVISORS),
    Route("PUT", f"{_API}/agents/{{user_id}}", agents.replace_agent, _ADMIN),
    Route("DELETE", f"{_API}/agents/{{user_id}}", agents.remove_agent, _ADMIN),
    Route("GET", f"{_API}/agents.csv", csv_export.export_agents, _SUPERVISORS),
    Route("POST", f"{_API}/agents/import", csv_import.import_agents, _ADMIN),
    Route("GET", f"{_API}/queues", queues.list_queues, _SUPERVISORS),
    Route("GET", f"{_API}/queues/{{name}}", queues.get_queue, _SUPERVISORS),
    Route("PUT", f"{_API}/queues/{{name}}", queues.replace_queue, _ADMIN),
    Route("DELETE", f"{_API}/queues/{{name}}", queues.remove_queue, _ADMIN),
    Route("GET", f"{_API}/queues.csv", csv_export.export_queues, _SUPERVISORS),
    Route("POST", f"{_API}/queues/import", csv_import.import_queues, _ADMIN),
    Route("GET", f"{_API}/hotlines", queues.list_hotlines, _SUPERVISORS),
    Route("GET", f"{_API}/hotlines/{{number}}", queues.get_hotline, _SUPERVISORS),
    Route("PUT", f"{_API}/hotlines/{{number}}", queues.replace_hotline, _ADMIN),
    Route("DELETE", f"{_API}/hotlines/{{number}}", queues.remove_hotline, _ADMIN),
    Route("GET", f"{_API}/hotlines.csv", csv_export.export_hotlines, _SUPERVISORS),
    Route("POST", f"{_API}/hotlines/import", csv_import.import_hotlines, _ADMIN),
    Route("GET", f"{_API}/ringtones", ringtones.list_ringtones, _SUPERVISORS),
    Route("POST", f"{_API}/ringtones", ringtones.upload_ringtone, _ADMIN),
    Route("GET", f"{_API}/ringtones/{{name}}", ringtones.get_ringtone, _SUPERVISORS),
    Route("PATCH", f"{_API}/ringtones/{{name}}", ringtones.patch_ringtone, _ADMIN),
    Route("DELETE", f"{_API}/ringtones/{{name}}", ringtones.remove_ringtone, _ADMIN),
    Route("GET", f"{_API}/ringtones/{{name}}/audio", ringtones.get_audio, _AGENTS),
    Route("GET", "/ringtones/{token}/{file}", phone_sounds.get_phone_sound, None),
    Route("GET", f"{_API}/calls", calls.list_calls, _AGENTS),
    Route("POST", f"{_API}/calls", click_to_call.order_call, _AGENTS),
    Route("GET", f"{_API}/calls/{{call_id}}", calls.get_call, _AGENTS),
    Route("GET", f"{_API}/calls/{{call_id}}/decisions", doctor.get_decisions, _SUPERVISORS),
    Route("GET", f"{_API}/calls.csv", call_export.export_csv, _SUPERVISORS),
    Route("GET", f"{_API}/calls.xlsx", call_export.export_xlsx, _SUPERVISORS),
    Route("GET", f"{_API}/exports/{{name}}", exports.get_export, _SUPERVISORS),
    Route("GET", f"{_API}/sla", sla.get_sla, _SUPERVISORS),
    Route("GET", f"{_API}/summary", summary.get_summary, _SUPERVISORS),
    Route("GET", f"{_API}/summary/targets", summary.list_targets, _ADMIN),
    Route("POST", f"{_API}/summary/targets", summary.create_target, _ADMIN),
    Route("DELETE", f"{_API}/summary/targets/{{target_id}}", summary.remove_target, _ADMIN),
    Route("POST", f"{_API}/summary/targets/{{target_id}}/test", summary.try_target, _ADMIN),
    Route("GET", f"{_API}/reports/{{report}}.csv", reports.export_csv, _SUPERVISORS),
    Route("GET", f"{_API}/reports/{{report}}.xlsx", reports.export_xlsx, _SUPERVISORS),
    Route("GET", f"{_API}/reports/{{report}}", reports.get_report, _SUPERVISORS),
    Route("GET", f"{_API}/wallboard/events", wall.stream_wallboard, _SUPERVISORS),
    Route("GET", f"{_API}/wallboard/links", wall.list_links, _SUPERVISORS),
    Route("POST", f"{_API}/wallboard/links", wall.create_link, _SUPERVISORS),
    Route("DELETE", f"{_API}/wallboard/links/{{link_id}}", wall.remove_link, _SUPERVISORS),
    Route("GET", f"{_API}/tickets", tickets.list_tickets, _AGENTS),
    Route("GET", f"{_API}/tickets/counts", tickets.count_undone, _AGENTS),
    Route("POST", f"{_API}/tickets/bulk", tickets.patch_tickets, _AGENTS),
    Route("GET", f"{_API}/tickets/{{ticket_id}}", tickets.get_ticket, _AGENTS),
    Route("PATCH", f"{_API}/tickets/{{ticket_id}}", tickets.patch_ticket, _AGENTS),
    Route("GET", f"{_API}/webhooks", webhooks.list_webhooks, _SUPERVISORS),
    Route("POST", f"{_API}/webhooks", webhooks.create_webhook, _ADMIN),
    Route("GET", f"{_API}/webhooks/{{webhook_id}}", webhooks.get_webhook, _SUPERVISORS),
    Route("PATCH", f"{_API}/webhooks/{{webhook_id}}", webhooks.patch_webhook, _ADMIN),
    Route("DELETE", f"{_API}/webhooks/{{webhook_id}}", webhooks.remove_webhook, _ADMIN),
    Route("POST", f"{_API}/webhooks/{{webhook_id}}/rotate-secret", webhooks.rotate_webhook_secret, _ADMIN),
    Route("POST", f"{_API}/webhooks/{{webhook_id}}/test", webhooks.test_webhook, _ADMIN),
    Route("POST", f"{_API}/webhooks/{{webhook_id}}/replay-failed", webhooks.replay_failed, _ADMIN),
    Route("GET", f"{_API}/deliveries", deliveries.list_deliveries, _SUPERVISORS),
    Route("GET", f"{_API}/deliveries/{{delivery_id}}", deliveries.get_delivery, _SUPERVISORS),
    Route("POST", f"{_API}/deliveries/{{delivery_id}}/replay", deliveries.replay_delivery, _ADMIN),
    Route("GET", f"{_API}/events", events.stream_events, _SUPERVISORS),
    Route("GET", f"{_API}/desk", desk.get_desk, _AGENTS),
    Route("GET", f"{_API}/desk/events", desk.stream_desk, _AGENTS),
    Route("POST", f"{_API}/desk/pops/{{pbx}}/{{call_id}}/open", desk.open_popup, _AGENTS),
    Route("POST", f"{_API}/desk/pops/{{pbx}}/{{call_id}}/blocked", desk.give_back_popup, _AGENTS),
    Route("GET", f"{_API}/desk/state", agent_state.get_state, _AGENTS),
    Route("PUT", f"{_API}/desk/state", agent_state.put_state, _AGENTS),
    Route("GET", f"{_API}/desk/colleagues", colleagues.list_colleagues, _AGENTS),
    Route("POST", f"{_API}/desk/calls/{{pbx}}/{{call_id}}/hangup", call_controls.hang_up, _AGENTS),
    Route("POST", f"{_API}/desk/calls/{{pbx}}/{{call_id}}/answer", call_controls.answer, _AGENTS),
    Route("POST", f"{_API}/desk/calls/{{pbx}}/{{call_id}}/hold", call_controls.hold, _AGENTS),
    Route("POST", f"{_API}/desk/calls/{{pbx}}/{{call_id}}/unhold", call_controls.unhold, _AGENTS),
    Route("POST", f"{_API}/desk/calls/{{pbx}}/{{call_id}}/mute", call_controls.mute, _AGENTS),
    Route("POST", f"{_API}/desk/calls/{{pbx}}/{{call_id}}/unmute", call_controls.unmute, _AGENTS),
    Route("POST", f"{_API}/desk/calls/{{pbx}}/{{call_id}}/dtmf", call_controls.send_digits, _AGENTS),
    Route("POST", f"{_API}/desk/calls/{{pbx}}/{{call_id}}/transfer", call_controls.transfer, _AGENTS),
    Route("POST", f"{_API}/desk/calls/{{pbx}}/{{call_id}}/attended-transfer", call_controls.consult, _AGENTS),
    Route("DELETE", f"{_API}/desk/calls/{{pbx}}/{{call_id}}/attended-transfer", call_controls.go_back, _AGENTS),
    Route("GET", f"{_API}/session", session.get_session, _AGENTS),
    Route("GET", f"{_API}/sessions", sessions.list_sessions, _AGENTS),
    Route("DELETE", f"{_API}/sessions/{{session_id}}", sessions.remove_session, _AGENTS),
    Route("GET", f"{_API}/accounts", accounts.list_accounts, _ADMIN),
    Route("POST", f"{_API}/accounts", accounts.create_account, _ADMIN),
    Route("GET", f"{_API}/accounts/{{name}}", accounts.get_account, _ADMIN),
    Route("PATCH", f"{_API}/accounts/{{name}}", accounts.patch_account, _ADMIN),
    Route("DELETE", f"{_API}/accounts/{{name}}/sessions", sessions.remove_account_sessions, _ADMIN),
    Route("GET", f"{_API}/tokens", tokens.list_tokens, _ADMIN),
    Route("POST", f"{_API}/tokens", tokens.create_token, _ADMIN),
    Route("DELETE", f"{_API}/tokens/{{token_id}}", tokens.remove_token, _ADMIN),
    Route("GET", f"{_API}/audit", audit.list_audit, _ADMIN),
    Route("GET", f"{_API}/retention", retention.get_retention, _ADMIN),
    Route("GET", f"{_API}/pbx", pbx.list_pbxs, _SUPERVISORS),
    Route("GET", f"{_API}/pbx/{{name}}", pbx.get_pbx, _SUPERVISORS),
    Route("GET", f"{_API}/pbx/{{name}}/stanzas", pbx.get_stanzas, _ADMIN),
    Route("POST", f"{_API}/pbx/{{name}}/check", pbx.check_pbx, _ADMIN),
    Route("GET", f"{_API}/doctor", doctor.get_findings, _ADMIN),
    Route("GET", f"{_API}/discovery", discovery.get_discovery, _ADMIN),
    Route("PATCH", f"{_API}/session", session.patch_session, _AGENTS),
    Route("GET", "/assets/{version}/{name}", get_asset, None),
    Route("GET", "/favicon.ico", get_icon, None),
    Route("GET", "/", home.show_home, _AGENTS, page=True),
    Route("GET", "/desk", desk_page.show_desk, _AGENTS, page=True),
    Route("GET", "/tickets", tickets_page.show_tickets, _AGENTS, page=True),
    Route("GET", "/missed", tickets_page.show_missed, _AGENTS, page=True),
    Route("GET", "/tickets/{ticket_id}", ticket_page.show_ticket, _AGENTS, page=True),
    Route("GET", "/calls", calls_page.show_calls, _AGENTS, page=True),
    Route("GET", "/calls/{call_id}", call_page.show_call, _AGENTS, page=True),
    Route("GET", "/service-level", service_level_page.show_service_level, _SUPERVISORS, page=True),
    Route("GET", "/reports", reports_page.show_reports, _SUPERVISORS, page=True),
    Route("GET", "/wallboard", wallboard_page.show_wallboard, _SUPERVISORS, page=True),
    Route("GET", "/wall/{secret}", wallboard_page.show_wall, None, page=True),  # the link is the right to it
    Route("GET", "/wall/{secret}/events", wall.stream_wall, None),
    Route("GET", "/webphone", webphone.show_webphone, _AGENTS, page=True),
    Route("GET", "/sign-in", sign_in.show_sign_in, None, page=True),
    Route("POST", "/sign-in", sign_in.enter, None, page=True),
    Route("GET", "/set-up/{token}", set_up.show_set_up, None, page=True),
    Route("POST", "/set-up/{token}", set_up.make_first_admin, None, page=True),
    Route("POST", "/sign-out", sign_in.leave, _AGENTS, page=True),
    Route("POST", "/sign-out-everywhere", sign_in.leave_everywhere, _AGENTS, page=True),
    Route("GET", "/settings/calls", settings_page.show_call_settings, _ADMIN, page=True),
    Route("POST", "/settings/calls/what-happens", settings_page.show_what_happens, _ADMIN, page=True),
    Route("GET", "/settings/agents", agent_pages.show_agents, _ADMIN, page=True),
    Route("GET", "/settings/new-agent", agent_pages.show_new_agent, _ADMIN, page=True),
    Route("GET", "/settings/agents/{user_id}", agent_pages.show_agent, _ADMIN, page=True),
    Route("GET", "/settings/queues", queue_pages.show_queues, _ADMIN, page=True),
    Route("GET", "/settings/hotlines", hotline_pages.show_hotlines, _ADMIN, page=True),
    Route("GET", "/settings/found/agents", agent_pages.show_found_agents, _ADMIN, page=True),
    Route("GET", "/settings/found/queues", queue_pages.show_found_queues, _ADMIN, page=True),
    Route("GET", "/settings/found/hotlines", hotline_pages.show_found_hotlines, _ADMIN, page=True),
    Route("GET", "/settings/webhooks", webhook_pages.show_webhooks, _ADMIN, page=True),
    Route("GET", "/settings/new-webhook", webhook_pages.show_new_webhook, _ADMIN, page=True),
    Route("GET", "/settings/webhooks/{webhook_id}", webhook_pages.show_webhook, _ADMIN, page=True),
    Route("GET", "/settings/deliveries", delivery_pages.show_deliveries, _ADMIN, page=True),
    Route("GET", "/settings/deliveries/{delivery_id}", delivery_pages.show_delivery, _ADMIN, page=True),
    Route("GET", "/settings/summary", summary_page.show_summary, _ADMIN, page=True),
    Route("GET", "/settings/accounts", account_pages.show_accounts, _ADMIN, page=True),
    Route("GET", "/settings/new-account", account_pages.show_new_account, _ADMIN, page=True),
    Route("GET", "/settings/accounts/{name}", account_pages.show_account, _ADMIN, page=True),
    Route("GET", "/settings/tokens", token_pages.show_tokens, _ADMIN, page=True),
    Route("GET", "/settings/audit", audit_pages.show_audit, _ADMIN, page=True),
    Route("GET", "/settings/data", data_page.show_data, _ADMIN, page=True),
    Route("GET", "/reference", reference.show_reference, _AGENTS, page=True),
    Route("GET", "/settings/ringtones", ringtones_page.show_ringtones, _ADMIN, page=True),
    Route("GET", "/settings/check-up", check_up.show_check_up, _ADMIN, page=True),
    Route("GET", "/calls/{call_id}/decisions", check_up.show_call_story, _SUPERVISORS, page=True),
    Route("GET", "/settings/pbx", pbx_page.show_pbxs, _SUPERVISORS, page=True),
    Route("GET", "/password", password.show_password, _AGENTS, page=True),
    Route("POST", "/password", password.replace_password, _AGENTS, page=True),
)

ENDLESS: Final = frozenset(
    {f"{_API}/events", f"{_API}/desk/events", f"{_API}/wallboard/events", "/wall/{secret}/events"}
)
"""Answers that last as long as the caller likes."""

QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by machines: logged at debug only."""
