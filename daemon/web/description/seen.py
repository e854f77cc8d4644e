"""The words for `If-Match`: a change only of what the asker has seen."""

from __future__ import annotations

from typing import Final

from daemon.web.description.model import Parameter

ETAG: Final = {"ETag": "The version of what is set, for `If-Match`."}
IF_MATCH: Final = Parameter(
    "If-Match",
    "The `ETag` of your GET: 412 when somebody else was faster. Left out: the last one wins.",
    {"type": "string"},
    "header",
)
OVERTAKEN: Final = (
    "Somebody changed it meanwhile: `now` and `version` are what is there (null: it was removed), `changed` who did it "
    "and when. Nothing was changed."
)
