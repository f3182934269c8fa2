"""``/health``: whether kodomo is well, for the monitoring of the city.

On this machine the answer says what is not well and by how much; to other machines of the listed networks, only
whether all is well. It is 503 where something stops. Superset's ``/ping`` says that its process answers.
"""

from __future__ import annotations

import json
import time
from typing import Any

from flask import Flask, Response, request

from kodomo.home import Home
from kodomo.ingest.landing import landing_of
from kodomo.limits import Limits
from kodomo.versions import VERSION
from kodomo.watching.vitals import OK, WRONG, Vital, read_vitals, worst
from superset_config.security.web import HEALTH_AT, LOOPBACK, is_listed

KEPT_SECONDS = 5
"""How long an answer serves, however often it is asked for."""


def install(app: Flask, home: Home) -> None:
    """Answer in the place of Superset's view, which says that all is well as long as a process runs.

    After the check of the networks.
    """
    limits = Limits.from_environment()
    kept: dict[str, Any] = {"until": 0.0, "vitals": []}

    @app.before_request
    def say_how_it_fares() -> Response | None:
        if request.path != HEALTH_AT or request.method not in {"GET", "HEAD"}:
            return None
        now = time.monotonic()
        if now > kept["until"]:
            kept["vitals"], kept["until"] = read_vitals(home, landing_of(home), limits), now + KEPT_SECONDS
        # Through a proxy the address may be that of the proxy.
        is_here = is_listed(request.remote_addr, LOOPBACK) and "X-Forwarded-For" not in request.headers
        is_well = worst(kept["vitals"]) != WRONG
        content = report(kept["vitals"]) if is_here else {"status": OK if is_well else WRONG}
        status = 200 if is_well else 503
        response = Response(json.dumps(content, ensure_ascii=False), status, mimetype="application/json")
        response.headers["Cache-Control"] = "no-store"
        return response


def report(vitals: list[Vital]) -> dict[str, Any]:
    """All that is known, for machines: status, version, and each sign with its figures and the code of its fault."""
    return {
        "status": worst(vitals),
        "version": VERSION,
        "checks": {
            vital.name: {"status": vital.status, "fault": vital.fault.code if vital.fault else None, **vital.figures}
            for vital in vitals
        },
    }
