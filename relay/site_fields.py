"""The values of a site file: what each may be, and what is said when it is something else."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from pixelmirror.catalogue import CURRENCIES

DEFAULT_PORTS = {"http": ":80", "https": ":443"}


# Letters and digits of what stands in examples, and of what is tried first by who guesses.
NO_SECRETS = frozenset(
    """
    changeme changeit changethis replaceme replacethis placeholder example examplesecret
    yoursecret yoursecretkey yourkey yourtoken youraccesstoken yourapikey mysecretkey secretkeyhere
    password password1 passwort supersecret topsecret secretsecret letmein12
    12345678 123456789 1234567890 0123456789 abcdefgh abcdefghij abc12345 qwertyuiop qwerty123
    """.split()
)


class FromEnvironment(str):
    """A text that stood in the environment, where nothing has another type."""

    __slots__ = ()


def _like(pattern: str, words: str) -> AfterValidator:
    """A check that a text matches as a whole, else these words."""
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise ValueError(words)
        return text

    return AfterValidator(check)


def _as_browsers_say_it(origin: str) -> str:
    """Browsers write the host in lower case and leave the scheme's own port away."""
    origin = origin.lower()
    return origin.removesuffix(DEFAULT_PORTS[origin.partition(":")[0]])


def _currency(text: str) -> str:
    if text not in CURRENCIES:
        raise ValueError("must be a three-letter ISO 4217 code, such as IDR")
    return text


def _network(value: object) -> IPv4Network | IPv6Network:
    try:
        return ip_network(value if isinstance(value, str) else "", strict=False)
    except ValueError:
        raise ValueError("must be an IP address or a network such as 10.0.0.0/8") from None


def _whole(value: object) -> object:
    is_number = isinstance(value, FromEnvironment) and re.fullmatch(r"[0-9]{1,9}", value)
    return int(str(value)) if is_number else value


def _flag(value: object) -> object:
    is_flag = isinstance(value, FromEnvironment) and value in ("true", "false")
    return value == "true" if is_flag else value


def _own(text: str) -> str:
    letters = re.sub(r"[^a-z0-9]", "", text.lower())
    is_one_letter = len(text) >= 8 and len(set(letters)) < 2
    if letters in NO_SECRETS or is_one_letter:
        raise ValueError("must be a secret of your own, not what stands in an example")
    return text


SECRET = object()
"""Marks what nobody may read, so that logs can hide it wherever it turns up."""

Key = Annotated[str, _like(r"(?s).+", "must not be empty")]
# What a header can't carry, mostly the end of the line that a token was copied with, is refused
# here; an outside system's token never holds a space, the shop's own may.
Token = Annotated[
    str,
    _like(r"[!-~]*", "must hold no spaces, no line ends, only ASCII"),
    AfterValidator(_own),
    SECRET,
]
NeededToken = Annotated[Token, _like(r".+", "must not be empty")]
_carried = _like(
    r"[!-~]([ -~]*[!-~])?", "must hold only ASCII, and no space or line end at its ends"
)
PublicKey = Annotated[Key, _carried]
SecretKey = Annotated[str, Field(min_length=8), _carried, AfterValidator(_own), SECRET]
Whole = Annotated[int, BeforeValidator(_whole)]
Flag = Annotated[bool, BeforeValidator(_flag)]

SiteName = Annotated[
    str,
    _like(r"[a-z0-9-]{1,64}", "must hold only a-z, 0-9 and -, 1 to 64 of them"),
    _like(r"(?!assets$).*", "must not be assets: that path is the page assets' own"),
]
Origin = Annotated[
    str,
    _like(
        r"(?i)https?://([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?",
        "must be scheme and host only, such as https://toko.example: no path, no *",
    ),
    AfterValidator(_as_browsers_say_it),
]
Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network)]
HttpUrl = Annotated[
    str,
    _like(r"https?://[^\s/?#]+(/[^\s?#]*)?", "must be an http or https URL"),
    AfterValidator(lambda url: url.rstrip("/")),
]
SdkUrl = Annotated[
    str, _like(r"(https?://[^\s/?#]+(/\S*)?)?", "must be an http or https URL, or empty for none")
]
Currency = Annotated[str, AfterValidator(_currency)]
Country = Annotated[str, _like(r"[a-z]{2}", "must be two letters a-z, such as id")]
CookieDomain = Annotated[
    str,
    _like(
        r"auto|([a-z0-9-]+(\.[a-z0-9-]+)+)?",
        "must be auto, a domain such as toko.example, or empty for the host only",
    ),
]
OrderEventId = Annotated[str, _like(r".*\{order_id\}.*", "must hold {order_id}")]
EventName = Annotated[
    str, _like(r"[A-Za-z0-9_.-]{1,50}", "must be 1 to 50 of A-Z, a-z, 0-9, _, . and -")
]
ApiVersion = Annotated[str, _like(r"v[0-9]+\.[0-9]+", "must look like v25.0")]
Uuid = Annotated[
    str,
    _like(
        r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
        "must be a UUID, such as 5f0c9c52-7f0e-4c55-9a7a-2f2c8b6d1e10",
    ),
]
