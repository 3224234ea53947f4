"""Write each event into a FHIR R4 server: one batch, and every entry of its answer is read.

Conditional writes by identifier make a repeat change nothing: PUT Type?identifier=SYSTEM|VALUE. A server answers 200 to
a batch in which it refused an entry, so only the entries decide.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Literal
from urllib.parse import quote

import httpx2
from pydantic import Field

from host_agent.forward.delivery import Delivered, Delivery, Outcome, Rejected, RetryAfter
from host_agent.forward.fhir_resources import Named, Systems, resources
from host_agent.forward.http_answer import Answer, Request, post, refusal
from host_agent.forward.http_settings import HttpReceiver

_TYPE = "application/fhir+json"
_ABOUT_THE_BODY = (400, 422)
# What a server answers that does not know the way of writing.
_NO_SUCH_WRITE = (404, 405, 501)
_WORDS_MAX = 200

Write = Literal["update", "create", "put"]


class FhirReceiver(HttpReceiver):
    """One FHIR R4 server, such as that of a hospital's record system. Write one [[fhir]] table for each."""

    example: ClassVar[dict[str, Any]] = {
        "name": "record",
        "url": "https://fhir.example.org/r4",
        "patient_system": "https://hospital.example.org/patients",
    }
    reaches = "nobody"
    secrets: ClassVar[tuple[str, ...]] = ("token", "url")
    files: ClassVar[tuple[str, ...]] = ("ca_file",)

    patient_system: str = Field(
        pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:[^\s|]+$",
        description="Identifier system in which the server knows the pseudonym of a patient, as an address or URN.",
    )
    system: str = Field(
        default="urn:cytowatch", pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:[^\s|]+$",
        description="Identifier system of everything that is written.",
    )  # fmt: skip
    write: Write = Field(
        default="update",
        description="How a repeat changes nothing: update is PUT by identifier, create is POST with If-None-Exist,"
        " put is PUT by an id made here. With create, a Flag stays active when its alarm is over.",
    )

    def forwarder(self, utc_ms: Callable[[], int]) -> "Fhir":
        return Fhir(self, self.address().rstrip("/"), self.token_headers(self.token()), self.client(), utc_ms)

    def proves(self) -> str:
        return "written into the record; nothing proves that a person saw it"


class Fhir:
    """One server. `utc_ms` is the time against which a wish for a later retry is held."""

    def __init__(
        self,
        receiver: FhirReceiver,
        url: str,
        headers: dict[str, str],
        client: httpx2.AsyncClient,
        utc_ms: Callable[[], int],
    ) -> None:
        self.name = receiver.name
        self.accept_simulated = receiver.accept_simulated
        self._url = url
        self._headers = {**receiver.headers, **headers}
        self._timeout_s = receiver.timeout_s
        self._client = client
        self._utc_ms = utc_ms
        self._write = receiver.write
        self._systems = Systems(receiver.patient_system, receiver.system)

    async def send(self, delivery: Delivery) -> Outcome:
        """POST the batch once; delivered only when every entry was written."""
        wanted = resources(json.loads(delivery.body), self._systems)
        headers = {
            "Content-Type": _TYPE, "Accept": _TYPE, "Accept-Encoding": "identity", "User-Agent": "cytowatch",
            **self._headers,
        }  # fmt: skip
        body = json.dumps(batch(wanted, self._systems.own, self._write), ensure_ascii=False).encode()
        answer = await post(self._client, Request(self._url, headers, body), self._timeout_s)
        if isinstance(answer, RetryAfter):
            return answer
        return refusal(answer, _words(answer.table), self._utc_ms() / 1000) or self._judge(answer, wanted)

    async def close(self) -> None:
        """Close kept connections."""
        await self._client.aclose()

    def _judge(self, answer: Answer, wanted: list[Named]) -> Outcome:
        table = answer.table
        entries = table.get("entry")
        if not answer.is_whole or table.get("type") != "batch-response" or not isinstance(entries, list):
            return RetryAfter(
                f"HTTP {answer.status}, but no answer to a batch: is this address a FHIR server?"
            )
        if len(entries) != len(wanted):
            return RetryAfter(
                f"HTTP {answer.status}, but {len(entries)} answers to {len(wanted)} entries",
                whole_target=False,
            )
        refused = [
            (status, f"{one.type}: HTTP {status}{_said(entry)}")
            for one, entry in zip(wanted, entries, strict=True)
            if not 200 <= (status := _status(entry)) < 300
        ]
        if not refused:
            return Delivered(f"{len(wanted)} resources written")
        why = "; ".join(text for _, text in refused)
        if any(status in _NO_SUCH_WRITE for status, _ in refused):
            other = "create" if self._write == "update" else "update"
            why += f'. The server may not know this way of writing: try write = "{other}"'
        if any(status in _ABOUT_THE_BODY for status, _ in refused):
            return Rejected(why)
        return RetryAfter(why, whole_target=all(status in (401, 403, 429, 503) for status, _ in refused))


def batch(wanted: list[Named], system: str, write: Write) -> dict[str, Any]:
    """The Bundle that writes these resources, each by its identifier."""
    return {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [_entry(one, system, write) for one in wanted],
    }


def _entry(one: Named, system: str, write: Write) -> dict[str, Any]:
    found = f"identifier={quote(f'{system}|{one.identifier}', safe='')}"
    if write == "put":
        body = {"resourceType": one.type, "id": one.fhir_id, **one.body}
        return {"request": {"method": "PUT", "url": f"{one.type}/{one.fhir_id}"}, "resource": body}
    if write == "create":
        return {"request": {"method": "POST", "url": one.type, "ifNoneExist": found}, "resource": one.body}
    return {"request": {"method": "PUT", "url": f"{one.type}?{found}"}, "resource": one.body}


def _status(entry: Any) -> int:
    """The status of one entry, 0 when it has none."""
    response = entry.get("response") if isinstance(entry, dict) else None
    status = str(response.get("status", "")) if isinstance(response, dict) else ""
    return int(status[:3]) if status[:3].isascii() and status[:3].isdigit() else 0


def _said(entry: Any) -> str:
    response = entry.get("response") if isinstance(entry, dict) else None
    outcome = response.get("outcome") if isinstance(response, dict) else None
    words = _words(outcome) if isinstance(outcome, dict) else ""
    return f" ({words})" if words else ""


def _words(outcome: dict[str, Any]) -> str:
    """What an OperationOutcome says, in one line; empty for anything else."""
    return " ".join("; ".join(_issues(outcome)).split())[:_WORDS_MAX]


def _issues(outcome: dict[str, Any]) -> Iterator[str]:
    issues = outcome.get("issue")
    for issue in issues if isinstance(issues, list) else ():
        if isinstance(issue, dict):
            details = issue.get("details")
            text = details.get("text") if isinstance(details, dict) else None
            yield str(text or issue.get("diagnostics") or issue.get("code") or "")
