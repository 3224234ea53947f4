"""Accept an alarm, or hold back its reminders: what it means, by whom, and what came of it."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from host_agent.people.accepting import longest_ms
from host_agent.text import local_of_iso
from host_agent.web.acts import Acts
from host_agent.web.frame import Frame, form_of
from host_agent.web.snapshot import Snapshot

_ROSE = "This alarm has changed since you opened the page. Look at it again, then sign."


class AlarmPage:
    """`/alarm/NUMBER/accept` and `/alarm/NUMBER/silence`."""

    def __init__(self, frame: Frame, snapshot: Snapshot, acts: Acts) -> None:
        self._frame = frame
        self._snapshot = snapshot
        self._acts = acts

    async def answer(self, request: Request) -> Response:
        """The form, or what came of it."""
        act = request.path_params["act"]
        if act not in ("accept", "silence"):
            raise HTTPException(404)
        row = await self._acts.standing(request.path_params["number"])
        if row is None:
            return self._frame.said(
                request, "Ended", "This alarm has ended. See what stands now.", status=404
            )
        if act == "accept" and row["acceptance"]:
            return self._frame.said(request, "Accepted already", _first_text(row["acceptance"]))
        shown = {"row": row, "act": act, "minutes_max": longest_ms(row["level"]) // 60_000, "note": ""}
        if request.method != "POST":
            return self._frame.show(request, "alarm.html", shown)
        return await self._signed(request, row, act, shown)

    async def _signed(
        self, request: Request, row: dict[str, Any], act: str, shown: dict[str, Any]
    ) -> Response:
        form = await form_of(request)
        shown["note"] = form.get("note", "")
        minutes = _minutes(form.get("minutes", "5"), shown["minutes_max"])
        if form.get("level") != str(row["level"]):
            return self._frame.show(request, "alarm.html", {**shown, "wrong": _ROSE}, 409)
        if minutes is None:
            wrong = f"Give 1 to {shown['minutes_max']} minutes."
            return self._frame.show(request, "alarm.html", {**shown, "wrong": wrong}, 400)
        by = await self._frame.signed(request, form)
        if by.signer is None:
            return self._frame.show(request, "alarm.html", {**shown, "wrong": by.wrong}, 403)
        if act == "accept":
            lines = _accepted_lines(await self._acts.accept(by.signer, row, shown["note"]))
        else:
            lines = _silenced_lines(await self._acts.silence(by.signer, row, minutes))
        await self._snapshot.state(fresh=True)
        return self._frame.said(request, "Done", *lines, kept=by.kept)


def _minutes(text: str, most: int) -> int | None:
    is_number = text.isascii() and text.isdigit() and len(text) < 5
    return int(text) if is_number and 1 <= int(text) <= most else None


def _first_text(one: dict[str, Any]) -> str:
    return f"{one['who']} accepted it at {local_of_iso(one['at'])}, until {local_of_iso(one['until'])}."


def _accepted_lines(row: dict[str, Any]) -> list[str]:
    one = row["acceptance"]
    if one is None:
        return ["The alarm has ended meanwhile."]
    lines = [
        f"{row['name'].replace('_', ' ')}: accepted by {one['who']} until {local_of_iso(one['until'])}.",
        "The alarm still stands. Everyone who was told is told your name.",
    ]
    return [*lines, "The wearable is told as soon as it is in session."] if one["wearable"] else lines


def _silenced_lines(row: dict[str, Any]) -> list[str]:
    one = row["silence"]
    until = f"until {local_of_iso(one['until'])}" if one else "no more, because the alarm has ended"
    return [
        f"Reminders of this laptop are held back {until}. This accepts nothing.",
        "Unless somebody accepts it, the wearable goes on sounding and the next person is called.",
    ]
