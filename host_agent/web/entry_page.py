"""The form for what only people know, signed by whoever fills it in."""

import asyncio
import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from host_agent.errors import HostAgentError
from host_agent.text import local_time
from host_agent.views.entry_words import entry_words
from host_agent.web import entering
from host_agent.web.acts import OTHER_PATIENT, Acts
from host_agent.web.frame import Frame, form_of
from host_agent.web.snapshot import Snapshot

_NUMBER_CHARS = 16
_KEPT = 256  # forms that were entered, so that none is entered twice


class EntryPage:
    """`/enter/DEVICE`. Each form that is shown has a number: what it says is entered once, however often it is sent."""

    def __init__(self, frame: Frame, snapshot: Snapshot, acts: Acts) -> None:
        self._frame = frame
        self._snapshot = snapshot
        self._acts = acts
        # (number of a form, what it said) -> what was answered
        self._entered: dict[tuple[str, str], tuple[str, ...]] = {}
        self._one_at_a_time = asyncio.Lock()

    async def answer(self, request: Request) -> Response:
        """The form; when it was sent: what is wrong with it, beside each field, or what was entered."""
        device_id = request.path_params["device_id"]
        state = await self._snapshot.state()
        wearable = next((one for one in state["wearables"] if one["device_id"] == device_id), None)
        if wearable is None or not wearable["is_bound"]:
            return self._frame.said(request, "Nobody", "No patient is bound to this wearable.", status=404)
        form = await form_of(request) if request.method == "POST" else {}
        shown = {
            "wearable": wearable, "groups": entering.GROUPS, "form": form, "wrong_fields": {},
            "number": _number_of(form),
        }  # fmt: skip
        if request.method != "POST":
            return self._frame.show(request, "enter.html", shown)
        if form.get("binding") != wearable["binding_id"]:
            return self._frame.said(request, "Not entered", OTHER_PATIENT, status=409)
        async with self._one_at_a_time:
            return await self._enter(request, wearable, form, shown)

    async def _enter(
        self, request: Request, wearable: dict[str, Any], form: dict[str, str], shown: dict[str, Any]
    ) -> Response:
        values, wrong_fields = entering.values_of(form)
        ago_ms = 0
        try:
            ago_ms = entering.ago_ms(form.get("ago", ""))
        except ValueError as error:
            wrong_fields = {**wrong_fields, "ago": f"{error}."}
        if wrong_fields:
            return self._frame.show(request, "enter.html", {**shown, "wrong_fields": wrong_fields}, 400)
        sent = shown["number"], repr((values, ago_ms))
        if sent in self._entered:
            return self._frame.said(request, "Entered already, once", *self._entered[sent])
        by = await self._frame.signed(request, form)
        if by.signer is None:
            return self._frame.show(request, "enter.html", {**shown, "wrong": by.wrong}, 403)
        try:
            done = await self._acts.enter(
                by.signer, (wearable["device_id"], wearable["binding_id"]), values, ago_ms
            )
        except HostAgentError as error:
            wrong = f"{error} {error.advice}"
            return self._frame.show(request, "enter.html", {**shown, "wrong": wrong}, 409, by.kept)
        await self._snapshot.state(fresh=True)
        lines = tuple(_entered_lines(wearable["about"], done))
        while len(self._entered) >= _KEPT:
            del self._entered[next(iter(self._entered))]
        self._entered[sent] = lines
        return self._frame.said(request, "Entered", *lines, kept=by.kept)


def _number_of(form: dict[str, str]) -> str:
    """The number of this form; a new one when it has none."""
    return form.get("number", "")[:_NUMBER_CHARS] or secrets.token_hex(_NUMBER_CHARS // 2)


def _entered_lines(about: str, done: dict[str, Any]) -> list[str]:
    at = local_time(done["observed_utc_ms"])
    line = f"{about} at {at}: {entry_words(done['values'])}. Signed by {done['account']}."
    to_wearable = "The wearable gets it as soon as it is in session." if done["for_wearable"] else ""
    return [line, to_wearable]
