"""What every address of the page shares: templates in which each text is escaped, answers, and who signs."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

from host_agent import NOTICE
from host_agent.people.account_key import AccountKeyError, Signer
from host_agent.printable import LINE_BREAKS, printable
from host_agent.text import span_text
from host_agent.web.signing_in import SignedIn, SigningIn, TooManyTries

FOLDER = Path(__file__).parent
_NOBODY = "Nobody has an account on this laptop. Make one: cytowatch account add NAME --role clinician"
_FORM_FIELDS = 64


class Signed:
    """Who signs a form: `signer` None, and `wrong` says why. `kept` goes into the browser's cookie."""

    def __init__(self, signer: Signer | None, kept: str = "", wrong: str = "") -> None:
        self.signer = signer
        self.kept = kept
        self.wrong = wrong


class Frame:
    """One for each run of the page; `boot` differs in each, so that a browser loads the page of a newer one."""

    def __init__(self, signing_in: SigningIn, boot: str, cookie: str) -> None:
        self.boot = boot
        self.signing_in = signing_in
        self._cookie = f"{cookie}-signed-in"
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER / "templates"), autoescape=select_autoescape(default=True),
            undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
            finalize=lambda value: printable(value, LINE_BREAKS) if type(value) is str else value,
        )  # fmt: skip
        self._templates.filters["dialled"] = _dialled

    def render(self, name: str, values: dict[str, Any]) -> str:
        """A template with these values."""
        return self._templates.get_template(name).render(values)

    def show(
        self, request: Request, name: str, values: dict[str, Any], status: int = 200, kept: str = ""
    ) -> HTMLResponse:
        """A whole page; `kept` as in Signed."""
        who = self._who(request, kept)
        shared = {
            "notice": NOTICE, "signed_in": who.signer.name if who else "",
            "signed_in_left": span_text(self.signing_in.left_s(who)) if who else "",
            "accounts": self.signing_in.names(), "nobody": _NOBODY, "wrong": "",
        }  # fmt: skip
        answer = HTMLResponse(self.render(name, {**shared, **values}), status)
        if kept:
            answer.set_cookie(self._cookie, kept, httponly=True, samesite="strict")
        return answer

    def said(
        self, request: Request, title: str, *lines: str, status: int = 200, kept: str = ""
    ) -> HTMLResponse:
        """A page with some sentences and the way back."""
        return self.show(request, "said.html", {"title": title, "lines": lines}, status, kept)

    async def signed(self, request: Request, form: dict[str, str]) -> Signed:
        """Signed in before at this browser, or by the account and passphrase of this form."""
        who = self._who(request)
        if who is not None and not form.get("passphrase"):
            return Signed(who.signer)
        name, passphrase = form.get("account", ""), form.get("passphrase", "")
        if not name or not passphrase:
            return Signed(None, wrong="Choose who you are and type your passphrase.")
        try:
            kept = await self.signing_in.sign_in(name, passphrase)
        except TooManyTries as error:
            return Signed(None, wrong=f"{error} {error.advice}")
        except AccountKeyError as error:
            return Signed(None, wrong=str(error))
        found = self.signing_in.who(kept)
        return Signed(found.signer if found else None, kept)

    def sign_out(self, request: Request) -> None:
        """Nobody is signed in at this browser any more."""
        self.signing_in.out(request.cookies.get(self._cookie))

    def _who(self, request: Request, kept: str = "") -> SignedIn | None:
        return self.signing_in.who(kept or request.cookies.get(self._cookie))


def _dialled(number: str) -> str:
    """What a telephone dials of a number as people write it."""
    return "".join(character for character in number if character in "+*#0123456789")


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a posted form; the last value of a field counts. HTTPException 400 for what is no form."""
    try:
        text = (await request.body()).decode("utf-8")
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_FORM_FIELDS))
    except ValueError:
        raise HTTPException(400) from None
