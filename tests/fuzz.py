"""`make fuzz`: the property tests with many times their examples, and the table of what was put into each surface.

It counts what was drawn for each test, and claims nothing else: what counts as a loss is what those tests assert.
"""

from __future__ import annotations

import argparse
import functools
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

SURFACES: Final[Mapping[str, tuple[str, ...]]] = {
    "AMI bytes": (
        "tests/ami/test_fuzz.py", "tests/ami/test_framing.py::test_the_same_messages_come_out_whatever_the_chunks",
        "tests/call/test_robustness.py::test_bytes_split_anywhere_give_the_same_events",
    ),
    "AMI events": (
        "tests/ami/test_forgery.py::test_no_number_that_fits_ends_another_call",
        "tests/call/test_robustness.py::test_lost_swapped_and_mixed_up_signals_never_raise_or_double",
    ),
    "call records of the PBX": ("tests/ami/test_cdr_fuzz.py",),
    "JSON API: requests by its description": ("tests/web/test_fuzz.py",),
    "JSON API: bodies": (
        "tests/web/test_hostile.py::test_no_bytes_break_the_reading_of_a_body",
        "tests/web/test_hostile.py::test_a_setting_is_stored_only_if_it_was_accepted",
    ),
    "paths and query strings": (
        "tests/web/test_hostile.py::test_no_route_breaks_whatever_its_names_query_and_body_are",
    ),
    "forms": ("tests/web/test_hostile.py::test_no_form_breaks_a_page_or_signs_anybody_in",),
    "CSV": ("tests/web/test_csv.py::test_no_bytes_break_the_import", "tests/web/test_csv_cells.py"),
    "sound files": (
        "tests/web/test_sound_file.py::test_a_file_changed_anywhere_is_sound_or_refused_and_soon",
        "tests/web/test_ringtones.py::test_no_file_breaks_the_server",
    ),
    "config files": (
        "tests/test_config.py::test_any_file_is_a_configuration_or_refused_in_one_line_without_its_secrets",
    ),
    "settings' URLs": (
        "tests/delivery/test_target_guard.py::test_any_text_is_a_url_or_is_refused",
        "tests/delivery/test_target_guard.py::test_no_spelling_of_a_link_local_address_gets_through",
        "tests/delivery/test_target_guard.py::test_what_passes_is_neither_link_local_nor_multicast_nor_unspecified",
        "tests/policy/test_popup_url.py::test_whatever_a_caller_sends_stays_inside_its_parameter",
        "tests/policy/test_popup_url.py::test_a_placed_value_can_add_no_segment_query_or_fragment",
    ),
    "numbers": (
        "tests/call/test_number.py::test_hostile_numbers_never_raise_and_never_grow",
        "tests/ami/test_recording.py::test_two_numbers_never_become_one",
    ),
    "account names": ("tests/store/test_accounts.py::test_a_name_is_folded_once_and_for_all",),
    "webhook answers": (
        "tests/delivery/test_http_sender.py::test_whatever_bytes_come_back_are_an_answer_or_a_failure_by_name",
        "tests/policy/test_retry.py::test_no_retry_after_header_whatever_breaks_the_policy",
        "tests/policy/test_retry.py::test_another_attempt_is_always_in_the_future_and_before_the_expiry",
    ),
    "customer look-up answers": (
        "tests/delivery/test_customer_lookup.py::test_whatever_is_answered_is_a_customer_fit_to_be_shown_or_a_reason",
    ),
    "replay traces": (
        "tests/test_replay.py::test_any_trace_is_told_to_its_end_or_refused_in_words",
        "tests/ami/test_recording.py::test_what_was_recorded_reads_back_byte_for_byte",
    ),
}  # fmt: skip
BY_REQUEST: Final = "tests/web/test_fuzz.py"  # its requests are counted, coverage cases too, not the examples


class Counting:
    """A plugin of pytest: how many inputs each surface got, and which tests failed."""

    def __init__(self) -> None:
        self.inputs: Counter[str] = Counter()
        self.failed: dict[str, set[str]] = {surface: set() for surface in SURFACES}
        self._now = ""
        self._lock = threading.Lock()

    def pytest_runtest_setup(self, item: Any) -> None:
        self._now = item.nodeid

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self.failed[surface_of(report.nodeid)].add(report.nodeid)

    def drawn(self, *, is_request: bool) -> None:
        if is_request is self._now.startswith(BY_REQUEST):
            with self._lock:
                self.inputs[surface_of(self._now)] += 1

    def counted(self, work: Callable[..., Any], *, is_request: bool = False) -> Callable[..., Any]:
        @functools.wraps(work)
        def run(*values: Any, **named: Any) -> Any:
            self.drawn(is_request=is_request)
            return work(*values, **named)

        return run


def surface_of(test: str) -> str:
    return next(surface for surface, tests in SURFACES.items() if test.startswith(tests))


def watch(counting: Counting) -> None:
    """Before any test is imported: each example passes here. Nested tests are seen as well, which no hook tells."""
    import hypothesis
    import schemathesis

    given: Any = hypothesis.given

    def counted_given(*values: Any, **named: Any) -> Callable[..., Any]:
        decorate = given(*values, **named)

        def decorated(test: Callable[..., Any]) -> Any:
            return decorate(counting.counted(test))

        return decorated

    library: Any = hypothesis
    library.given = counted_given
    requests: Any = schemathesis.Case
    requests.call = counting.counted(requests.call, is_request=True)


def table(counting: Counting, surfaces: Sequence[str]) -> str:
    lines = ["| Surface | Inputs | Crashes and silent losses |", "|---|---:|---:|"]
    lines += [f"| {surface} | {counting.inputs[surface]:,} | {len(counting.failed[surface])} |" for surface in surfaces]
    wrong = sum(map(len, counting.failed.values()))
    return "\n".join([*lines, f"| **all** | **{counting.inputs.total():,}** | **{wrong}** |"])


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("--times", type=int, default=20, help="so many times as many examples as in CI")
    parser.add_argument("--surface", action="append", choices=list(SURFACES), help="only this one; may be repeated")
    asked = parser.parse_args()
    chosen = asked.surface or list(SURFACES)
    os.environ["CALLWARDEN_FUZZ"] = str(asked.times)
    import pytest

    counting = Counting()
    watch(counting)
    tests = [test for surface in chosen for test in SURFACES[surface]]
    code = pytest.main(["-q", "-n", "0", "-p", "no:cacheprovider", "--no-header", *tests], plugins=[counting])
    sys.stdout.write(f"\n{table(counting, chosen)}\n")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
