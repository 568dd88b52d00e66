"""What was done, as files for other programs: CSV, and Valueflows as JSON-LD."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Sequence
from typing import Any

from p2pvalue_cli.amounts import decimal_text
from p2pvalue_cli.output import day

_HEADS = ("day", "member", "what", "quantity", "unit", "class", "need", "witnesses", "id")
_RUN = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a cell begins with that spreadsheets run as a formula."""
_CONTEXT = {
    "vf": "https://w3id.org/valueflows/ont/vf#",
    "om2": "http://www.ontology-of-units-of-measure.org/resource/om-2/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_ACTIONS = {"hours": "work", "skill": "deliverService"}


def csv_text(found: Sequence[dict[str, Any]]) -> str:
    """Contributions as a table; money in whole units of its currency, time in minutes."""
    file = io.StringIO()
    table = csv.writer(file)
    table.writerow(_HEADS)
    for one in found:
        row = (
            day(one["day"]),
            one["name"],
            one["title"],
            decimal_text(one["kind"], one["quantity"]),
            one["unit"],
            one["class"],
            one["need_title"],
            ", ".join(person["name"] for person in one["witnesses"]),
            one["contribution"],
        )
        table.writerow([_defused(cell) for cell in row])
    return file.getvalue()


def _defused(cell: str) -> str:
    """The cell, so that no spreadsheet runs what somebody wrote; a leading blank hides nothing."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_RUN) else cell


def valueflows_text(found: Sequence[dict[str, Any]], community: dict[str, Any]) -> str:
    """Contributions as economic events, with the people and the needs that they name."""
    here = f"urn:p2pvalue:{community['community']}"
    people = {one["member"]: one["name"] for one in found}
    people |= {seen["member"]: seen["name"] for one in found for seen in one["witnesses"]}
    needs = {one["need"]: one["need_title"] for one in found if one["need"]}
    graph: list[dict[str, Any]] = [
        {"@id": here, "@type": "vf:Organization", "vf:name": community["name"]}
    ]
    graph += [
        {"@id": f"{here}:{member}", "@type": "vf:Person", "vf:name": name}
        for member, name in sorted(people.items())
    ]
    graph += [
        {"@id": f"{here}:{need}", "@type": "vf:Intent", "vf:name": title, "vf:receiver": _to(here)}
        for need, title in sorted(needs.items())
    ]
    graph += [_event(one, here) for one in found]
    whole = {"@context": _CONTEXT, "@graph": graph}
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def _event(one: dict[str, Any], here: str) -> dict[str, Any]:
    is_work = one["kind"] == "hours"
    quantity = {
        "@type": "om2:Measure",
        "om2:hasUnit": _to("om2:minute-Time" if is_work else "om2:one"),
        "om2:hasNumericalValue": {
            "@type": "xsd:decimal",
            "@value": decimal_text(one["kind"], one["quantity"]),
        },
    }
    event: dict[str, Any] = {
        "@id": f"{here}:{one['contribution']}",
        "@type": "vf:EconomicEvent",
        "vf:action": _to(f"vf:{_ACTIONS.get(one['kind'], 'transfer')}"),
        "vf:provider": _to(f"{here}:{one['member']}"),
        "vf:receiver": _to(here),
        "vf:effortQuantity" if is_work else "vf:resourceQuantity": quantity,
        "vf:hasPointInTime": {
            "@type": "xsd:dateTimeStamp",
            "@value": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(one["day"] / 1000)),
        },
        "vf:note": one["title"],
    }
    if not is_work:
        event["vf:resourceConformsTo"] = {
            "@type": "vf:ResourceSpecification",
            "vf:name": one["unit"],
        }
    if one["class"]:
        event["vf:resourceClassifiedAs"] = one["class"]
    if one["need"]:
        event["vf:satisfies"] = _to(f"{here}:{one['need']}")
    return event


def _to(target: str) -> dict[str, str]:
    return {"@id": target}
