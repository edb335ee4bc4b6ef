"""Attribution: click and browser IDs from the landing URL into cookies, and from there to events.

Source: scalev R14-R23, D1, D2, D12; Meta's keep rule: specs/meta.md section 3; the names under
which Kwai's click ID arrives: specs/kwai.md section 3.
"""

DAY_S = 24 * 60 * 60

# Attribution field -> its cookie, the query parameters it is captured from (first non-empty wins)
# and the cookie's life. `_fbc` and `_fbp` hold a dated value of Meta's, the rest the raw click ID.
COOKIES = (
    ("fbc", "_fbc", ("fbclid",), 90 * DAY_S),
    ("fbp", "_fbp", (), 90 * DAY_S),
    ("ttclid", "_ttclid", ("ttclid",), 7 * DAY_S),
    ("ttp", "_ttp", (), None),  # TikTok's pixel writes it, we only read (R21)
    ("kwai_click_id", "_kwai_click_id", ("click_id", "clickid", "kwai_click_id"), 7 * DAY_S),
)

CLICK_ID_LIMIT = 500


def capture(query: dict, cookies: dict, now_ms: int, index: int, chance: int) -> list:
    """The cookies to write for this landing: `[(name, value, max_age_s)]`.

    `index`: Meta's domain index (`domain_index`); `chance`: 0 to 9999999999, for a new `_fbp`.
    A click ID that is absent or empty leaves its cookie alone (R19), but for Meta's two, which
    are renewed when they are sound.
    """
    writes = []
    for field, name, parameters, max_age_s in COOKIES:
        click_id = _click_id(query, parameters)
        old = cookies.get(name, "")
        if field == "fbc":
            value = fbc(old, click_id, now_ms, index)
        elif field == "fbp":
            made = "fb." + str(index) + "." + str(now_ms) + "." + str(chance)
            value = old if "_fbp" in cookies else made
        else:
            value = click_id
        if value and max_age_s:
            writes.append((name, value, max_age_s))
    return writes


def read(query: dict, cookies: dict) -> dict:
    """The attribution of an event; what is absent is left out.

    The current URL beats the cookie for the raw click IDs; Meta's and TikTok's browser IDs come
    from cookies only (R22).
    """
    found = {}
    for field, name, parameters, _ in COOKIES:
        cookie = cookies.get(name, "")
        if field == "fbc":
            value = cookie if is_meta_id(cookie) else ""
        else:
            value = _click_id(query, parameters) or cookie
        if value:
            found[field] = value
    return found


def allowed(found: dict, consent: dict) -> dict:
    """The attribution that may go with an event: Global Privacy Control refuses that of ads."""
    ads = [field for field, _, _, _ in COOKIES] if consent.get("gpc") else []
    return {field: found[field] for field in found if field not in ads}


def fbc(old: str, click_id: str, now_ms: int, index: int) -> str:
    """The value of `_fbc`: `fb.{index}.{first seen, ms}.{fbclid}`; empty without any click ID.

    Kept while its click ID is the same (its time is when that was first seen); a new click ID
    keeps the index of a sound old value. Source: specs/meta.md section 3, vectors 1 to 7.
    """
    is_sound = is_meta_id(old)
    if not click_id or (is_sound and click_id in _payloads(old)):
        return old if is_sound else ""
    kept_index = old.split(".")[1] if is_sound else str(index)
    return "fb." + kept_index + "." + str(now_ms) + "." + click_id


def is_meta_id(value: str) -> bool:
    """True for `fb.{index}.{ms}.{payload}`, the shape of `_fbc` and `_fbp`."""
    parts = value.split(".", 3)
    return (
        len(parts) == 4
        and parts[0] == "fb"
        and _is_number(parts[1])
        and _is_number(parts[2])
        and bool(parts[3])
    )


def _payloads(value: str) -> tuple:
    """What may be the click ID in a sound `_fbc`: all after the third dot, and that less a last
    part, which may be Meta's appendix (8 characters, or 2 in old ones)."""
    payload = value.split(".", 3)[3]
    before, dot, appendix = payload.rpartition(".")
    return (payload, before) if dot and len(appendix) in (2, 8) else (payload,)


def _is_number(text: str) -> bool:
    return bool(text) and not [c for c in text if not "0" <= c <= "9"]


def _click_id(query: dict, parameters: tuple) -> str:
    """The first usable value; one such as `__CALLBACK__` is an ad macro that was not filled."""
    for name in parameters:
        value = query.get(name, "")
        is_macro = value.startswith("__") and value.endswith("__")
        if value and not is_macro and len(value) <= CLICK_ID_LIMIT:
            return value
    return ""


# --- domains ---


def domains(host: str, setting: str) -> list:
    """Cookie domains to try, widest first; empty when the cookie belongs to the host alone.

    `setting` is the site's `cookie_domain`: `auto`, a name, or empty for the host only. The first
    that the browser accepts is the one: it refuses `co.id` and the like, which are public suffixes.
    """
    if setting != "auto":
        return [setting] if setting else []
    labels = host.split(".")
    if ":" in host or _is_number(labels[-1]) or len(labels) < 2:
        return []
    return [".".join(labels[-n:]) for n in range(2, len(labels) + 1)]


def domain_index(domain: str) -> int:
    """Meta's index: labels of the cookie's domain less one; 1 if host-only (DESIGN 5.3)."""
    return domain.rstrip(".").count(".") if domain else 1


# --- text: cookies and queries ---


def cookie_text(name: str, value: str, max_age_s: int, domain: str, is_https: bool) -> str:
    """What is written to `document.cookie` (R20); `domain` empty for a host-only cookie."""
    text = name + "=" + encode(value) + "; Max-Age=" + str(max_age_s) + "; Path=/; SameSite=Lax"
    if is_https:
        text += "; Secure"
    return text + ("; Domain=" + domain if domain else "")


def parse_cookies(text: str) -> dict:
    """Name -> decoded value of `document.cookie`; with duplicates the first wins."""
    cookies: dict = {}
    for pair in text.split(";"):
        name, sign, value = pair.strip().partition("=")
        if sign:
            cookies.setdefault(name, decode(value))
    return cookies


def parse_query(url: str) -> dict:
    """Name -> first value of the URL's query, decoded once as URLSearchParams does."""
    query: dict = {}
    _, _, text = url.partition("#")[0].partition("?")
    for pair in text.split("&"):
        name, _, value = pair.replace("+", " ").partition("=")
        query.setdefault(decode(name), decode(value))
    return query


UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()"


def encode(text: str) -> str:
    """As JavaScript's encodeURIComponent."""
    out = []
    for byte in text.encode():
        char = chr(byte)
        out.append(char if char in UNRESERVED else "%" + ("0" + hex(byte)[2:].upper())[-2:])
    return "".join(out)


def decode(text: str) -> str:
    """Percent-decoded UTF-8; text that is not sound is returned as it is (scalev D12)."""
    if "%" not in text:
        return text
    head, *rest = text.split("%")
    try:
        out = bytearray(head.encode())
        for part in rest:
            byte = bytes.fromhex(part[:2])
            if len(byte) != 1:  # it reads over spaces
                return text
            out.extend(byte + part[2:].encode())
        return bytes(out).decode()
    except (ValueError, UnicodeError):
        return text
