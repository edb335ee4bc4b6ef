"""The site file: one shop's TOML, typed and checked, every mistake named by file, key and reason.

Source of keys and defaults: DESIGN 5.2.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pixelmirror.catalogue import EVENTS
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

Mode = Literal["browser", "server", "both"]
Provider = Literal["meta", "tiktok", "snackvideo"]

# Kinds that can send server copies. The others are pixels only, and say so when asked for more.
SERVER_KINDS = ("scalev", "tracify")
PIXEL_KINDS = ("meta", "tiktok", "kwai", "commanders_act", "alhena")


class SiteError(Exception):
    """What is wrong with a site file: `problems` as (key, reason); the text names the file too."""

    def __init__(self, file: str, problems: Sequence[tuple[str, str]]) -> None:
        super().__init__("\n".join(f"{file}: {key}: {why}" for key, why in problems))
        self.file = file
        self.problems = list(problems)


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or text != text.rstrip("/"):
        raise ValueError("must be scheme and host, such as https://toko.example, without a path")
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("must be scheme and host only, such as https://toko.example")
    return text.lower()


def _http_url(text: str) -> str:
    if urlsplit(text).scheme not in ("http", "https") or not urlsplit(text).hostname:
        raise ValueError("must be an http or https URL")
    return text.rstrip("/")


def _sdk_url(text: str) -> str:
    return _http_url(text) if text else text


def _network(text: str) -> str:
    ipaddress.ip_network(text, strict=False)
    return text


Origin = Annotated[str, AfterValidator(_origin)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
SdkUrl = Annotated[str, AfterValidator(_sdk_url)]
Network = Annotated[str, AfterValidator(_network)]
Key = Annotated[str, Field(min_length=1)]
EventName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,50}$")]


class Table(BaseModel):
    """Unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class DestinationTable(Table):
    """What every kind of destination may be given."""

    kind: str
    mode: Mode
    events: list[str] | None = None
    event_names: dict[str, EventName] = {}
    categories: list[str] = []
    base_url: HttpUrl | None = None
    sdk_url: SdkUrl | None = None

    @property
    def has_pixel(self) -> bool:
        return self.kind in PIXEL_KINDS and self.mode != "server"

    @property
    def has_server_copy(self) -> bool:
        return self.mode != "browser"


class MetaTable(DestinationTable):
    mode: Mode = "both"
    pixel_ids: Annotated[list[Key], Field(min_length=1)]
    access_token: str = ""
    api_version: Annotated[str, Field(pattern=r"^v\d+\.\d+$")] = "v25.0"
    test_event_code: str = ""


class TiktokTable(DestinationTable):
    mode: Mode = "both"
    pixel_ids: Annotated[list[Key], Field(min_length=1)]
    access_token: str = ""
    test_event_code: str = ""


class KwaiTable(DestinationTable):
    mode: Mode = "browser"
    pixel_ids: Annotated[list[Key], Field(min_length=1)]
    access_token: str = ""
    test: bool = False


class ScalevTable(DestinationTable):
    mode: Literal["server"] = "server"
    store_id: Key
    api_key: Key
    providers: Annotated[list[Provider], Field(min_length=1)] = ["meta", "tiktok", "snackvideo"]
    transport: Literal["relay"] = "relay"
    event_names: dict[Provider, dict[str, EventName]] = {}  # type: ignore[assignment]


class TracifyTable(DestinationTable):
    mode: Literal["server"] = "server"
    customer_site_id: Annotated[
        str, Field(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
    ]
    token: Key


class CommandersActTable(DestinationTable):
    mode: Mode = "browser"
    site_id: Key
    source_key: str = ""


class AlhenaTable(DestinationTable):
    mode: Literal["browser", "server"] = "browser"
    company_key: str = ""


KINDS: dict[str, type[DestinationTable]] = {
    "meta": MetaTable,
    "tiktok": TiktokTable,
    "kwai": KwaiTable,
    "scalev": ScalevTable,
    "tracify": TracifyTable,
    "commanders_act": CommandersActTable,
    "alhena": AlhenaTable,
}


class MidtransTable(Table):
    """Paid orders."""

    server_key: Key
    membership_prefix: str = "MBR-"
    confirm: bool = False
    base_url: HttpUrl | None = None


class Site(Table):
    """One shop, as its file says."""

    site: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]
    publishable_key: Key
    secret_key: Annotated[str, Field(min_length=8)]
    origins: Annotated[list[Origin], Field(min_length=1)]
    store_id: str = ""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "IDR"
    country: Annotated[str, Field(pattern=r"^[a-z]{2}$")] = "id"
    consent: Literal["granted", "required"] = "granted"
    order_event_id: str = "{order_id}-{event_name}-FORM"
    purchase_on: Literal["created", "paid"] = "created"
    cookie_domain: Annotated[str, Field(pattern=r"^([a-z0-9-]+(\.[a-z0-9-]+)+)?$|^auto$")] = "auto"
    data_layer: bool = False
    trusted_proxies: list[Network] = []
    custom_events: list[EventName] = []
    bots: Literal["skip", "send"] = "skip"
    rate_limit: Annotated[int, Field(ge=0)] = 50
    retention_days: Annotated[int, Field(ge=1)] = 30
    destinations: dict[str, DestinationTable] = {}
    midtrans: MidtransTable | None = None

    @model_validator(mode="after")
    def _order_event_id_names_the_order(self) -> Site:
        if "{order_id}" not in self.order_event_id:
            raise ValueError("order_event_id: must hold {order_id}")
        return self

    def names_of(self, kind: str) -> dict[str, str]:
        """The own event names that the first table of a kind sets."""
        for table in self.destinations.values():
            if table.kind == kind:
                return table.event_names
        return {}


def load(path: Path) -> Site:
    """The site of a file; raises SiteError with everything that is wrong in it."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SiteError(str(path), [("file", error.strerror or "can't be read")]) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SiteError(str(path), [("file", f"is not TOML: {error}")]) from error
    return parse(raw, str(path))


def load_all(paths: Sequence[Path]) -> list[Site]:
    """The sites of several files; no two may share a name, a publishable or a secret key."""
    sites = [load(path) for path in paths]
    for field in ("site", "publishable_key", "secret_key"):
        seen: dict[str, Path] = {}
        for site, path in zip(sites, paths, strict=True):
            other = seen.setdefault(getattr(site, field), path)
            if other is not path:
                raise SiteError(str(path), [(field, f"is the same as in {other}")])
    return sites


def parse(raw: dict[str, Any], file: str) -> Site:
    """The site of a parsed TOML document."""
    problems: list[tuple[str, str]] = []
    filled = _from_environment(raw, "", problems)
    tables = filled.pop("destinations", {})
    destinations = _destinations(tables, problems)
    try:
        site = Site.model_validate({**filled, "destinations": destinations})
    except ValidationError as error:
        problems += _in_words(error, "", Site)
    else:
        problems += [
            problem for name, table in destinations.items() for problem in _events(site, name, table)
        ]
    if problems:
        raise SiteError(file, problems)
    return site


def warnings(site: Site) -> list[str]:
    """What the site file asks for and this version does not do, one line each."""
    found = [
        f"destinations.{name}: this version sends no server copy to {table.kind}; "
        "such deliveries are shown as skipped"
        for name, table in site.destinations.items()
        if table.has_server_copy and table.kind not in SERVER_KINDS
    ]
    if site.midtrans or site.purchase_on == "paid":
        found.append("midtrans, purchase_on: this version takes no payment notifications")
    if site.data_layer:
        found.append("data_layer: this version does not read window.dataLayer")
    return found


def _from_environment(value: Any, key: str, problems: list[tuple[str, str]]) -> Any:
    """`env:NAME`, anywhere in the file, is the environment's NAME."""
    if isinstance(value, dict):
        return {
            name: _from_environment(inner, f"{key}.{name}".lstrip("."), problems)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_from_environment(inner, f"{key}[{i}]", problems) for i, inner in enumerate(value)]
    if not isinstance(value, str) or not value.startswith("env:"):
        return value
    name = value.removeprefix("env:")
    if name not in os.environ:
        problems.append((key, f"the environment has no {name}"))
        return "(not set)"  # long enough for the keys' own checks: one mistake, one message
    return os.environ[name]


def _destinations(tables: Any, problems: list[tuple[str, str]]) -> dict[str, DestinationTable]:
    if not isinstance(tables, dict):
        problems.append(("destinations", "must be tables: [destinations.meta]"))
        return {}
    found = {}
    for name, raw in tables.items():
        key = f"destinations.{name}"
        if not isinstance(raw, dict):
            problems.append((key, "must be a table"))
            continue
        kind = raw.get("kind", name)
        if kind not in KINDS:
            problems.append((f"{key}.kind", _unknown("kind", str(kind), KINDS)))
            continue
        try:
            found[name] = KINDS[kind].model_validate({**raw, "kind": kind})
        except ValidationError as error:
            problems += _in_words(error, key + ".", KINDS[kind])
    return found


def _events(site: Site, name: str, table: DestinationTable) -> list[tuple[str, str]]:
    """Event names in `events` and `event_names` must be known ones."""
    known = [*EVENTS, *site.custom_events]
    key = f"destinations.{name}"
    places: list[tuple[str, Sequence[str]]] = [(f"{key}.events", table.events or [])]
    if isinstance(table, ScalevTable):
        places += [
            (f"{key}.event_names.{provider}", list(names))
            for provider, names in table.event_names.items()
        ]
    else:
        places.append((f"{key}.event_names", list(table.event_names)))
    return [
        (where, _unknown("event", event, known))
        for where, events in places
        for event in events
        if event not in known
    ]


def _in_words(error: ValidationError, prefix: str, model: type[BaseModel]) -> list[tuple[str, str]]:
    """pydantic's findings as (key, reason), without the values: they may be secrets."""
    found = []
    for detail in error.errors(include_url=False, include_input=False, include_context=False):
        key = ".".join(str(part) for part in detail["loc"] if part != "[key]")
        reason = detail["msg"].removeprefix("Value error, ")
        if detail["type"] == "extra_forbidden":
            reason = _unknown("key", key.rpartition(".")[2], model.model_fields)
        elif detail["type"] == "missing":
            reason = "is required"
        elif not key:
            key, _, reason = reason.partition(": ")
        found.append((prefix + key, reason[:1].lower() + reason[1:]))
    return found


def _unknown(what: str, word: str, known: Any) -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    hint = f", did you mean {near[0]!r}?" if near else f", known: {', '.join(known)}"
    return f"unknown {what} {word!r}{hint}"
