"""URLs as they are sent on: without what may be personal, and no longer than the relay stores.

Cut in the page for its pixels, and in the relay for all else, by the same code. What is cut is
whole `name=value` pairs of query and fragment; all others stay as they are to the letter. The page
itself keeps its URL.
"""

MAX_URL = 8192  # of a title too

# A name is read as words: `customer[firstName]` is customer, first, name. It is private with one
# of these among its words,
WORDS = (
    "address alamat email handphone iban jwt ktp mail msisdn npwp password passwd phone pwd "
    "secret signature ssn telp tel telepon telephone telpon token whatsapp"
).split(" ")

# or where all its words together are one of these,
WHOLES = (
    "addr auth authorization birthdate birthday cardnumber cvc cvv dob hp mobile mobileno "
    "mobilenumber name nama namalengkap nik nohp nomorhp nomorwa nowa otp pass passport pin "
    "recipient session sessionid sid street surname tanggallahir tgllahir wa"
).split(" ")

# or end in one of these,
ENDS = (
    "address apikey cellphone email firstname fullname lastname mobilephone password "
    "phonenumber secret token username"
).split(" ")

# or are a name of one of these.
NAMED = (
    "billing buyer client contact customer display family first full given guest last member "
    "middle nick receiver recipient shipping user your"
).split(" ")

# No name is private without one of these in it.
HINTS = (
    "addr alamat api auth birth card cvc cvv dob hp iban jwt ktp lahir mail mobile msisdn "
    "nama name nik npwp nomorwa nowa otp pass phone pin pwd recipient secret session sid signature "
    "ssn street tel token wa whatsapp"
).split(" ")

# Campaigns and clicks: their names are no person's, and their digits no telephone's.
CAMPAIGNS = ("utm_", "trc_")
CLICK_IDS = ("braid", "clid", "click_id", "clickid", "ltid")

DECODINGS = 3  # an address in a URL in a URL
HEX = "0123456789abcdefABCDEF"
DIGITS = "0123456789"
IN_PHONES = DIGITS + "+-.() "
PHONE_STARTS = "+ (06"
SHORTEST = 3  # `wa=`
AROUND_EMAILS = " /?&#=,;:<>()[]\"'|\\"


def sent_page(page: dict) -> dict:
    """The page of an event: `url`, `referrer` and `title` as they are sent on."""
    found = dict(page)
    for field, cut in (("url", sent_url), ("referrer", sent_url), ("title", _short)):
        if isinstance(found.get(field), str):  # else the check says so
            found[field] = cut(found[field])
    return found


def sent_url(url: str) -> str:
    return without_private(fitting(url))


def _short(text: str) -> str:
    return text[:MAX_URL]


def without_private(url: str) -> str:
    """The URL without the pairs that may be personal, and without a user and password."""
    rest, sharp, fragment = url.partition("#")
    base, mark, query = rest.partition("?")
    # What follows the fragment's own `?` is the query of a page that routes by it.
    route, inner_mark, inner = fragment.partition("?")
    kept = _kept("", route) + _kept(inner_mark, inner)
    return (
        _without_login(base) + _kept(mark, query) + (sharp + kept if kept or not fragment else "")
    )


def _kept(sign: str, text: str) -> str:
    """The pairs that are not private, behind their sign; nothing where there were no others."""
    pairs = text.split("&")
    kept = [pair for pair in pairs if not _is_private(pair)]
    if len(kept) == len(pairs):
        return sign + text
    return sign + "&".join(kept) if kept else ""


def fitting(url: str) -> str:
    """The URL in `MAX_URL` characters: without its fragment first, then without long pairs."""
    if len(url) <= MAX_URL:
        return url
    base, _, query = url.partition("#")[0].partition("?")
    found, sign = base[:MAX_URL], "?"
    for pair in query.split("&"):
        if len(found) + len(sign + pair) <= MAX_URL:
            found, sign = found + sign + pair, "&"
    return found


def _without_login(base: str) -> str:
    scheme, slashes, rest = base.partition("://")
    host, slash, path = rest.partition("/")
    return scheme + slashes + host[host.rfind("@") + 1 :] + slash + path


# --- one pair ---


def _is_private(pair: str, is_inner: bool = False) -> bool:
    """True of `email=...`, and of any other whose value is an e-mail address or phone number."""
    if len(pair) < SHORTEST:
        return False
    name, sign, value = pair.partition("=")
    if not sign:
        name, value = "", name
    value = _plain(value)
    if "@" in value and _has_email(value):
        return True
    if not is_inner and ("?" in value or "&" in value or "#" in value):  # pairs of its own
        inner = value.replace("?", "&").replace("#", "&").split("&")[1:]
        if [one for one in inner if _is_private(one, True)]:
            return True
    name = _plain(name)
    return (_is_private_name(name) or _is_phone(value)) and not _is_ads(name)


def _is_ads(name: str) -> bool:
    name = name.lower()
    starts = [start for start in CAMPAIGNS if name.startswith(start)]
    return bool(starts or [end for end in CLICK_IDS if name.endswith(end)])


def _is_private_name(name: str) -> bool:
    lower = name.lower()
    if not [hint for hint in HINTS if hint in lower]:  # of nearly all, and soon told
        return False
    words = _words(name)
    together = "".join(words)
    if together in WHOLES or [word for word in words if word in WORDS]:
        return True
    if words[-1:] == ["name"] and [word for word in words if word in NAMED]:
        return True
    return bool([end for end in ENDS if together.endswith(end)])


def _words(name: str) -> list:
    """`user[firstName2]` is user, first, name; in lower case, without the numbers at their ends."""
    out = []
    before = ""
    for char in name:
        is_word = "a" <= char <= "z" or "A" <= char <= "Z" or char in DIGITS
        is_hump = "A" <= char <= "Z" and "a" <= before <= "z"
        out.append((" " + char if is_hump else char) if is_word else " ")
        before = char
    words = [word.rstrip(DIGITS) for word in "".join(out).lower().split(" ")]
    return [word for word in words if word]


def _has_email(text: str) -> bool:
    parts = text.split("@")
    for i, part in enumerate(parts[1:]):
        before = parts[i][-1:]
        end = 0
        while end < len(part) and part[end] not in AROUND_EMAILS and part[end] > " ":
            end += 1
        labels = part[:end].rstrip(".").split(".")
        is_domain = len(labels) > 1 and "" not in labels
        is_name = len(labels[-1]) > 1 and labels[-1][0] not in DIGITS  # `react@18.2.0` has none
        if before and before not in AROUND_EMAILS and is_domain and is_name:
            return True
    return False


def _is_phone(text: str) -> bool:
    """`+62 812-3456-7890`, `0812...`, `62812...`; a `+` may have become a space."""
    if not 9 <= len(text) <= 40 or text[0] not in PHONE_STARTS:
        return False
    if [char for char in text if char not in IN_PHONES]:
        return False
    digits = "".join([char for char in text if char in DIGITS])
    bare = text.strip(" (")
    if bare[:1] == "+" or text[:1] == " " or digits[:2] == "00":
        return 8 <= len(digits) <= 17
    if digits[:1] == "0":
        return 9 <= len(digits) <= 14 and bare[:2] != "0."
    return digits[:3] == "628" and 10 <= len(digits) <= 14


# --- decoding ---


def _plain(text: str) -> str:
    """Decoded as far as it goes: what is not sound stays, and hides nothing beside it."""
    text = text.replace("+", " ")
    for _ in range(DECODINGS):
        if "%" not in text:
            break
        text = _decoded(text)
    return text


def _decoded(text: str) -> str:
    """ASCII alone is decoded: the names and signs that are looked for have no more."""
    head, *rest = text.split("%")
    out = [head]
    for part in rest:
        code = part[:2]
        is_code = len(code) == 2 and code[0] in "01234567" and code[1] in HEX
        out.append(chr(int(code, 16)) + part[2:] if is_code else "%" + part)
    return "".join(out)
