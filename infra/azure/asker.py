"""Asks ARM and the Retail Prices API over HTTP: pages, throttling, errors. Knows nothing of what is asked.

A token goes to the host that it is for and to no other; an address on this machine is an emulation and gets none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from infra.errors import InvalidInput, Unavailable

if TYPE_CHECKING:
    import httpx

ARM_VARIABLE, PRICES_VARIABLE = "OPS_AZURE_ARM", "OPS_AZURE_PRICES"
ARM, RETAIL = "https://management.azure.com", "https://prices.azure.com"
LOOPBACK = ("127.0.0.1", "localhost", "::1")

PRICES = "2023-01-01-preview"
"""API version of the Retail Prices API (learn.microsoft.com, "Azure Retail Prices")."""

ATTEMPTS = 6
LONGEST = 120.0  # seconds to wait before one attempt; who is told to wait longer comes back later
PAGES = 1000
TIMEOUT = 60.0  # seconds for one answer; the list of sizes is some megabytes

NOTHING = "nothing was changed"


class NotAllowed(Unavailable):
    """The login may not read this."""


class Throttled(Unavailable):
    """Asked to wait too often, or for too long."""


class StrangeAnswer(Unavailable):
    """An answer that is not what the documentation says."""


class NoLogin(Unavailable):
    """There is no login, or nothing to log in with."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where ARM and the Retail Prices API are."""

    arm: str = ARM
    prices: str = RETAIL

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Endpoints:
        """Those of OPS_AZURE_ARM and OPS_AZURE_PRICES, else Azure's. Raises InvalidInput for one that is not https."""
        urls = (environ.get(ARM_VARIABLE) or ARM, environ.get(PRICES_VARIABLE) or RETAIL)
        for name, url in zip((ARM_VARIABLE, PRICES_VARIABLE), urls, strict=True):
            if urlsplit(url).scheme != "https" and not is_here(url):
                raise InvalidInput(f"{name} is {url}: only https, or http to this machine", not_done=NOTHING)
        return cls(*(url.rstrip("/") for url in urls))


def is_here(url: str) -> bool:
    """Whether a URL leads to this machine: an emulation, which is never shown a real login."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname in LOOPBACK


@dataclass(slots=True)
class Asker:
    """Asks with one connection; `wait` is called with seconds."""

    client: httpx.Client
    endpoints: Endpoints
    token: Callable[[], str]
    wait: Callable[[float], None]
    _token: str = field(default="", init=False)

    def arm(self, path: str, **query: str) -> list[dict[str, Any]]:
        """All rows of a list of ARM."""
        self._token = self._token or self.token()
        header = {"Authorization": f"Bearer {self._token}"}
        return list(self._rows(f"{self.endpoints.arm}{path}", query, header, ("value", "nextLink")))

    def retail(self, condition: str) -> list[dict[str, Any]]:
        """All rows of the Retail Prices API that a filter lets through."""
        query = {"api-version": PRICES, "currencyCode": "USD", "$filter": condition}
        return list(self._rows(f"{self.endpoints.prices}/api/retail/prices", query, {}, ("Items", "NextPageLink")))

    def _rows(
        self, url: str, query: dict[str, str], header: dict[str, str], keys: tuple[str, str]
    ) -> Iterator[dict[str, Any]]:
        host, seen = _origin(url), set[str]()
        params: dict[str, str] | None = query
        while url:
            if url in seen or len(seen) == PAGES or _origin(url) != host:
                raise StrangeAnswer(f"{_path(url)} is no next page of {host}", not_done=NOTHING)
            seen.add(url)
            page = self._page(url, params, header)
            rows, following = page.get(keys[0]), page.get(keys[1]) or ""
            if not isinstance(rows, list) or not isinstance(following, str):
                raise StrangeAnswer(f"{_path(url)} answered without {keys[0]}", not_done=NOTHING)
            yield from rows
            url, params = following, None

    def _page(self, url: str, params: dict[str, str] | None, header: dict[str, str]) -> dict[str, Any]:
        """One page. Waits and asks again where Azure says so, and where it has a fault of its own."""
        for attempt in range(1, ATTEMPTS + 1):
            answer = self._answer(url, params, header)
            if answer.status_code != 429 and answer.status_code < 500:
                return _read(url, answer)
            pause = _pause(answer, attempt)
            if attempt == ATTEMPTS or pause > LONGEST:
                break
            self.wait(pause)
        what = f"{_path(url)} answered {answer.status_code} {attempt} times; it asks to wait {pause:g} s"
        raise Throttled(what, not_done=NOTHING, next="the same command, later")

    def _answer(self, url: str, params: dict[str, str] | None, header: dict[str, str]) -> httpx.Response:
        import httpx

        try:
            return self.client.get(url, params=params, headers=header, timeout=TIMEOUT)
        except httpx.HTTPError as error:
            raise Unavailable(f"{_origin(url)} does not answer: {error}", not_done=NOTHING) from error


def _read(url: str, answer: httpx.Response) -> dict[str, Any]:
    """The JSON of an answer that is not to be asked for again."""
    if answer.status_code in (401, 403):
        what = f"{_path(url)} is not allowed for this login ({answer.status_code}): {_said(answer)}"
        hint = "az login, with the role Reader on the subscription"
        raise NotAllowed(what, not_done=NOTHING, next=hint)
    if answer.status_code != 200:
        raise StrangeAnswer(f"{_path(url)} answered {answer.status_code}: {_said(answer)}", not_done=NOTHING)
    try:
        page = answer.json()
    except ValueError as error:
        raise StrangeAnswer(f"{_path(url)} answered something that is not JSON", not_done=NOTHING) from error
    if not isinstance(page, dict):
        raise StrangeAnswer(f"{_path(url)} answered no JSON object", not_done=NOTHING)
    return page


def _said(answer: httpx.Response) -> str:
    """The code and message of an ARM error, or the beginning of what was answered."""
    try:
        error = answer.json()["error"]
        return f"{error['code']}: {error['message']}"
    except (ValueError, KeyError, TypeError):
        return answer.text[:200]


def _pause(answer: httpx.Response, attempt: int) -> float:
    """Seconds to wait: what Retry-After says, else twice as long each time."""
    said = answer.headers.get("Retry-After", "")
    return float(said) if said.isdigit() else float(2 ** (attempt - 1))


def _origin(url: str) -> str:
    """Scheme, host and port; the Retail Prices API writes its next pages with the port, :443."""
    parts = urlsplit(url)
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port not in (None, usual) else "")


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"
