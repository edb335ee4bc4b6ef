"""The site file: one shop's TOML, typed and checked, every mistake named by file, key and reason.

Source of keys and defaults: DESIGN 5.2.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pixelmirror import scalev
from pixelmirror.catalogue import EVENTS, ORDER_EVENTS
from relay.site_fields import (
    ApiVersion,
    CookieDomain,
    Country,
    Currency,
    EventName,
    Flag,
    FromEnvironment,
    HttpUrl,
    Key,
    NeededToken,
    Network,
    OrderEventId,
    Origin,
    PublicKey,
    SdkUrl,
    SecretKey,
    SiteName,
    Token,
    Uuid,
    Whole,
)
from relay.site_mistakes import Mistake, Problem, SiteError, in_words, mistakes, unknown

__all__ = ["KINDS", "Site", "SiteError", "load", "load_all", "parse"]

Mode = Literal["browser", "server", "both"]
Provider = Literal["meta", "tiktok", "snackvideo"]

PIXEL_KINDS = ("meta", "tiktok", "kwai", "commanders_act", "alhena")

# The kind of the pixel behind each of Scalev's providers.
PROVIDER_KINDS: dict[str, str] = scalev.KINDS


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
    access_token: Token = ""
    app_secret: Token = ""
    api_version: ApiVersion = "v25.0"
    test_event_code: str = ""
    advanced_matching: Flag = False


class TiktokTable(DestinationTable):
    mode: Mode = "both"
    pixel_ids: Annotated[list[Key], Field(min_length=1)]
    access_token: Token = ""
    test_event_code: str = ""
    advanced_matching: Flag = False


class KwaiTable(DestinationTable):
    mode: Mode = "browser"
    pixel_ids: Annotated[list[Key], Field(min_length=1)]
    access_token: Token = ""
    test: Flag = False


class ScalevTable(DestinationTable):
    mode: Literal["server"] = "server"
    store_id: Key
    api_key: NeededToken
    providers: Annotated[list[Provider], Field(min_length=1)] = ["meta", "tiktok", "snackvideo"]
    transport: Literal["relay", "direct"] = "relay"
    event_names: dict[Provider, dict[str, EventName]] = {}  # type: ignore[assignment]


class TracifyTable(DestinationTable):
    mode: Literal["server"] = "server"
    customer_site_id: Uuid
    token: NeededToken


class CommandersActTable(DestinationTable):
    mode: Mode = "browser"
    site_id: Key
    source_key: Token = ""


class AlhenaTable(DestinationTable):
    mode: Mode = "browser"
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

    server_key: NeededToken
    membership_prefix: str = "MBR-"
    confirm: Flag = False
    base_url: HttpUrl | None = None


class Site(Table):
    """One shop, as its file says."""

    site: SiteName
    publishable_key: PublicKey
    secret_key: SecretKey
    origins: Annotated[list[Origin], Field(min_length=1)]
    store_id: str = ""
    currency: Currency = "IDR"
    country: Country = "id"
    consent: Literal["granted", "required"] = "granted"
    order_event_id: OrderEventId = "{order_id}-{event_name}-FORM"
    purchase_on: Literal["created", "paid"] = "created"
    cookie_domain: CookieDomain = "auto"
    data_layer: Flag = False
    trusted_proxies: list[Network] = []
    custom_events: list[EventName] = []
    bots: Literal["skip", "send"] = "skip"
    rate_limit: Annotated[Whole, Field(ge=0)] = 50
    retention_days: Annotated[Whole, Field(ge=1)] = 30
    destinations: dict[str, DestinationTable] = {}
    midtrans: MidtransTable | None = None

    def names_of(self, kind: str) -> dict[str, str]:
        """The own event names that the first table of a kind sets."""
        for table in self.destinations.values():
            if table.kind == kind:
                return table.event_names
        return {}

    def posted_by_pages(self) -> dict[str, ScalevTable]:
        """The tables whose server copies a page posts itself, by name."""
        return {
            name: table
            for name, table in self.destinations.items()
            if isinstance(table, ScalevTable) and table.transport == "direct"
        }


def load(path: Path) -> Site:
    """The site of a file; raises SiteError with everything that is wrong in it."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror or "can't be read"
        raise SiteError([Mistake(str(path), "file", reason)]) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SiteError([Mistake(str(path), "file", f"is not TOML: {error}")]) from error
    return parse(raw, str(path))


def load_all(paths: Sequence[Path]) -> list[Site]:
    """The sites of several files; no two may share a name, a publishable or a secret key.

    Raises SiteError with everything that is wrong in any of them.
    """
    sites: list[tuple[Site, Path]] = []
    wrong: list[Mistake] = []
    for path in paths:
        try:
            sites.append((load(path), path))
        except SiteError as error:
            wrong += error.mistakes
    for field in ("site", "publishable_key", "secret_key"):
        first: dict[str, Path] = {}
        for site, path in sites:
            other = first.setdefault(getattr(site, field), path)
            if other is not path:
                wrong.append(Mistake(str(path), field, f"is the same as in {other}"))
    if wrong:
        raise SiteError(wrong)
    return [site for site, _ in sites]


def parse(raw: dict[str, Any], file: str) -> Site:
    """The site of a parsed TOML document; raises SiteError."""
    problems: list[Problem] = []
    filled = _from_environment(raw, "", problems)
    tables = _destinations(filled.pop("destinations", {}), problems)
    try:
        site = Site.model_validate({**filled, "destinations": tables})
    except ValidationError as error:  # its own text repeats the values
        raise SiteError(mistakes(file, problems + in_words(error, "", Site))) from None
    for rule in (_unknown_events, _two_routes, _same_pixel, _second_record):
        problems += rule(site)
    if site.purchase_on == "paid" and site.midtrans is None:
        problems.append(("purchase_on", '"paid" needs [midtrans], which says what is paid'))
    for key in ("publishable_key", "store_id", "site"):
        if site.secret_key.lower() == getattr(site, key).lower():
            problems.append(("secret_key", f"must not be the {key}, which everyone may know"))
    if problems:
        raise SiteError(mistakes(file, problems))
    return site


def _from_environment(value: Any, key: str, problems: list[Problem]) -> Any:
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
    return FromEnvironment(os.environ.get(name, ""))


def _destinations(tables: Any, problems: list[Problem]) -> dict[str, DestinationTable]:
    if not isinstance(tables, dict):
        problems.append(("destinations", "must be tables: [destinations.meta]"))
        return {}
    found = {}
    for name, raw in tables.items():
        key = f"destinations.{name}"
        kind = raw.get("kind", name) if isinstance(raw, dict) else None
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name):  # "scalev.meta" is what Scalev's are called
            problems.append((key, "its name must hold only A-Z, a-z, 0-9, _ and -"))
        elif not isinstance(raw, dict):
            problems.append((key, "must be a table"))
        elif not isinstance(kind, str):
            problems.append((f"{key}.kind", "must be a text in quotes"))
        elif kind not in KINDS:
            problems.append((f"{key}.kind", unknown("kind", kind, KINDS)))
        else:
            try:
                found[name] = KINDS[kind].model_validate({**raw, "kind": kind})
            except ValidationError as error:
                problems += in_words(error, key + ".", KINDS[kind])
    return found


def _unknown_events(site: Site) -> Iterator[Problem]:
    """Event names in `events` and `event_names` must be known ones; an order's is no custom one."""
    known = [*EVENTS, *site.custom_events]
    for i, event in enumerate(site.custom_events):
        if event in ORDER_EVENTS:
            yield f"custom_events[{i}]", f"must not hold {event}, which is no custom event"
    for name, table in site.destinations.items():
        key = f"destinations.{name}"
        places: dict[str, Sequence[str]] = {f"{key}.events": table.events or []}
        if isinstance(table, ScalevTable):
            for provider, own_names in table.event_names.items():
                places[f"{key}.event_names.{provider}"] = list(own_names)
        else:
            places[f"{key}.event_names"] = list(table.event_names)
        for where, events in places.items():
            for event in events:
                if event not in known:
                    yield where, unknown("event", event, known)


class Route(NamedTuple):
    """One way of server copies to pixels: `pixels` are their IDs, or Scalev's store ID."""

    key: str
    kind: str
    pixels: frozenset[str]
    is_scalev: bool
    events: frozenset[str]


def _two_routes(site: Site) -> Iterator[Problem]:
    """A pixel gets each event's server copy by one route, else it counts twice (scalev D13)."""
    for one, other in combinations(_routes(site), 2):
        # Which pixels are behind a Scalev store, only Scalev knows.
        is_same = one.is_scalev != other.is_scalev or bool(one.pixels & other.pixels)
        both = sorted(one.events & other.events)
        if one.kind == other.kind and is_same and both:
            yield (
                other.key,
                f"its pixel would get the server copy of {both[0]} twice, by {one.key} too: "
                'give one of them other events, or set mode = "browser"',
            )


def _same_pixel(site: Site) -> Iterator[Problem]:
    """A pixel is fired by one table, else each of its events counts twice."""
    fired: dict[tuple[str, str], str] = {}
    for name, table in site.destinations.items():
        if not table.has_pixel or not isinstance(table, MetaTable | TiktokTable | KwaiTable):
            continue
        for pixel_id in table.pixel_ids:
            first = fired.setdefault((table.kind, pixel_id), name)
            if first != name:
                yield f"destinations.{name}.pixel_ids", f"{pixel_id} is in destinations.{first} too"


def _second_record(site: Site) -> Iterator[Problem]:
    """Two systems know only a purchase again, by its ID (commanders-act 4, alhena A12)."""
    for name, table in site.destinations.items():
        is_both = isinstance(table, CommandersActTable | AlhenaTable) and table.mode == "both"
        if is_both and (table.events is None or {*table.events} - {"purchase"}):
            yield (
                f"destinations.{name}.mode",
                'would record each event twice: set "browser" or "server", '
                'or events = ["purchase"], which is known again by its ID',
            )


def _routes(site: Site) -> Iterator[Route]:
    every = {*EVENTS, *site.custom_events}
    for name, table in site.destinations.items():
        key = f"destinations.{name}"
        events = every if table.events is None else {*table.events}
        if isinstance(table, ScalevTable):
            for provider in dict.fromkeys(table.providers):
                # Its page views are on request (scalev D9).
                asked = {*(table.events or ()), *table.event_names.get(provider, ())}
                found = events - ({"page_view"} - asked)
                kind = PROVIDER_KINDS[provider]
                yield Route(key, kind, frozenset({table.store_id}), True, frozenset(found))
        elif table.has_server_copy and isinstance(table, MetaTable | TiktokTable | KwaiTable):
            yield Route(key, table.kind, frozenset(table.pixel_ids), False, frozenset(events))
