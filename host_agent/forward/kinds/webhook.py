"""Deliver an event by HTTPS POST in the form of the service: signed, idempotent by key, redirects never followed."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

import httpx2
from pydantic import Field, model_validator

from host_agent.errors import ConfigError
from host_agent.forward.delivery import (
    Delivered,
    Delivery,
    NotConnectedError,
    OnReply,
    Outcome,
    RetryAfter,
)
from host_agent.forward.forms import FORMS, FormName, ntfy, template
from host_agent.forward.forms.form import Form, Target
from host_agent.forward.http_answer import Answer, post, refusal
from host_agent.forward.http_settings import HttpReceiver, make_client
from host_agent.forward.message import read_message
from host_agent.forward.ntfy_replies import NtfyReplies
from host_agent.forward.packing import JSON_TYPE, packed
from host_agent.forward.replies import USED, Replies
from host_agent.forward.secret import VariableName
from host_agent.forward.signature import HEADER, sign
from host_agent.forward.standard_webhooks import standard_headers


class WebhookReceiver(HttpReceiver):
    """One receiver of events over HTTPS. Write one [[webhook]] table for each receiver."""

    example: ClassVar[dict[str, Any]] = {
        "name": "ward",
        "url": "https://alarms.example.org/cytowatch",
        "secret_file": "/etc/cytowatch/ward.secret",
    }
    secrets: ClassVar[tuple[str, ...]] = ("secret", "token", "url")
    files: ClassVar[tuple[str, ...]] = ("ca_file", "template_file")

    form: FormName = Field(
        default="cytowatch",
        description="What the service understands. slack is also for Mattermost; template takes template_file.",
    )
    secret_file: str | None = Field(
        default=None,
        description="File with the shared secret: its first line, at least 16 characters, readable by you alone."
        " A relative path counts from the folder of this configuration. Every key for the file of a secret also takes"
        " keyring:SERVICE/NAME and $CREDENTIALS_DIRECTORY/NAME (systemd).",
    )
    secret_env: VariableName | None = Field(
        default=None,
        description="Environment variable with the shared secret. Set either secret_file or secret_env."
        " Only the forms cytowatch and template need one.",
    )
    reply_topic: str | None = Field(
        default=None, pattern=r"^[-_A-Za-z0-9]{1,64}$",
        description="Topic of the same ntfy server that is read here: each message then has a button that accepts its"
        " alarm. Let everybody write there and nobody but this laptop read.",
    )  # fmt: skip
    template_file: str | None = Field(
        default=None, description="File with the body for form = template: text with ${field} in it."
    )
    template_is_json: bool = Field(
        default=True, description="Whether the template makes JSON. If false, it is sent as plain text."
    )

    @model_validator(mode="after")
    def _fits_its_form(self) -> Self:
        if (self.form == "template") != (self.template_file is not None):
            raise ValueError("template_file together with form = template, and with no other form")
        if self.form == "pagerduty" and not self.has_secret("token"):
            raise ValueError("token_file or token_env with the integration key, for the form pagerduty")
        if self.reply_topic is not None and self.form != "ntfy":
            raise ValueError("reply_topic with the form ntfy alone")
        if self.url is not None and self.reply_topic == ntfy.split(self.url)[1]:
            raise ValueError("another topic for reply_topic than that of the messages")
        if self.url is not None and self.form != "template" and (why := FORMS[self.form].check_url(self.url)):
            raise ValueError(why)
        return self

    def needs(self, name: str) -> bool:
        return super().needs(name) or (name == "secret" and self.form in ("cytowatch", "template"))

    def problems(self) -> Iterator[ConfigError]:
        yield from super().problems()
        try:
            self.made_form()
        except ConfigError as error:
            yield error

    def address(self) -> str:
        url = super().address()
        if self.form != "template" and (why := FORMS[self.form].check_url(url)):
            raise self.wrong_address(why)
        return url

    def made_form(self) -> Form:
        """The form; ConfigError when its template does not render."""
        if self.form != "template":
            return FORMS[self.form]
        path = Path(self.template_file or "").expanduser()
        return template.load(path, self.title, as_json=self.template_is_json)

    def proves(self) -> str:
        return template.PROVES if self.form == "template" else FORMS[self.form].proves

    def shown_address(self) -> str:
        if self.url is None or self.form in ("cytowatch", "pagerduty", "template"):
            return super().shown_address()
        parts = urlsplit(self.url)  # whoever knows the rest can write there
        return f"{parts.scheme}://{parts.netloc}/…"

    def forwarder(self, utc_ms: Callable[[], int]) -> "Webhook":
        token, form = self.token(), self.made_form()
        headers = {**self.headers, **({} if form.takes_token else self.token_headers(token))}
        target = Target(self.address(), token, self.reply_topic or "")
        kind = Webhook if self.reply_topic is None else AnsweredWebhook
        hook = kind(
            self.name, target.url, self.read_secret("secret") if self.has_secret("secret") else None,
            timeout_s=self.timeout_s, accept_simulated=self.accept_simulated, utc_ms=utc_ms, form=form, token=token,
            headers=headers, client=self.client(),
        )  # fmt: skip
        if isinstance(hook, AnsweredWebhook):
            hook.read_topic(target, NtfyReplies(self.name, f"{ntfy.split(target.url)[0]}{self.reply_topic}", headers,
                                                self.client))  # fmt: skip
        return hook


class Webhook:
    """One receiver. `utc_ms` gives the time that is signed; the secrets are held in memory only."""

    def __init__(
        self,
        name: str,
        url: str,
        secret: bytes | None,
        *,
        timeout_s: float,
        accept_simulated: bool,
        utc_ms: Callable[[], int],
        form: Form = FORMS["cytowatch"],
        token: str = "",
        headers: dict[str, str] | None = None,
        client: httpx2.AsyncClient | None = None,
    ) -> None:
        self.name = name
        self.accept_simulated = accept_simulated
        self._target = Target(url, token)
        self._secret = secret
        self._timeout_s = timeout_s
        self._utc_ms = utc_ms
        self._client = client or make_client(timeout_s)
        self._form = form
        self._headers = headers or {}

    async def send(self, delivery: Delivery) -> Outcome:
        """POST once within timeout_s in all; delivered only when the answer says so in the words of the form."""
        request = self._form.request(read_message(delivery), self._target, delivery)
        headers = {
            "Content-Type": JSON_TYPE,
            "User-Agent": "cytowatch",
            "Accept-Encoding": "identity",
            "Idempotency-Key": delivery.event_key,
            **self._headers,
            **request.headers,
        }
        if self._secret is not None:
            sent_at_s = self._utc_ms() // 1000
            headers[HEADER] = sign(self._secret, sent_at_s, request.body)
            headers |= standard_headers(self._secret, delivery.event_key, sent_at_s, request.body)
        answer = await post(self._client, request._replace(headers=headers), self._timeout_s)
        return answer if isinstance(answer, RetryAfter) else self._judge(answer)

    async def close(self) -> None:
        """Close kept connections."""
        await self._client.aclose()

    def _judge(self, answer: Answer) -> Outcome:
        said = f"HTTP {answer.status}"
        if refused := refusal(answer, self._form.reason(answer), self._utc_ms() / 1000):
            return refused
        if not answer.is_whole and not self._form.needs_words:
            return Delivered(said)
        if not answer.is_whole:
            return RetryAfter(f"{said}, and the words that say whether it was taken did not arrive")
        if objection := self._form.objection(answer):
            return RetryAfter(f"{said}, but it was not taken: {objection}", whole_target=False)
        return Delivered(said)


class AnsweredWebhook(Webhook):
    """A topic of ntfy whose messages have a button. What accepts nothing is answered in the topic of the messages."""

    def read_topic(self, target: Target, topic: NtfyReplies) -> None:
        """Put a button into each message, and read its topic in `run`."""
        self._target, self._topic = target, topic
        self._replies: Replies | None = None

    def take_replies(self, on_reply: OnReply) -> None:
        """Give what is pressed to `on_reply`."""
        now_s = asyncio.get_running_loop().time
        self._replies = Replies(self.name, f"ntfy receiver {self.name}", on_reply, self._answer, now_s)

    async def run(self) -> None:
        """Read the topic until cancelled."""
        if self._replies is None:
            await asyncio.Event().wait()
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(self._replies.run())
            await self._topic.run(self._replies)

    async def _answer(self, body: bytes) -> None:
        """Who accepts is told as everybody is, and a code that was used was told then."""
        said = json.loads(body)
        if said["accepted"] or said.get("why") == USED:
            return
        server, topic = ntfy.split(self._target.url)
        note = packed(server, {"topic": topic, "message": said["text"], "priority": 4})
        answer = await post(
            self._client, note._replace(headers={**self._headers, **note.headers}), self._timeout_s
        )
        if isinstance(answer, RetryAfter):
            raise NotConnectedError(answer.reason)
