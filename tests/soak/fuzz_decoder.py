"""Coverage-guided fuzzing of the ingest decoder: any bytes are sound events or a refusal.

    python tests/soak/fuzz_decoder.py --seconds 60

atheris looks at which lines of the decoder an input reaches, and goes on from what reached new
ones. It starts with the bodies of the other tests. An input that breaks the rule, or takes longer
than five seconds, is written to a file that is named at the end; the exit code is not 0 then.

It needs `pip install --require-hashes -r requirements-soak.lock`, which this Python may be too new
or too old for; it says so.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

try:
    import atheris
except ImportError:
    version = ".".join(map(str, sys.version_info[:2]))
    sys.exit(
        "fuzz_decoder: not run, as atheris is not installed. Where it has a wheel for Python "
        f"{version}: pip install --require-hashes -r requirements-soak.lock"
    )

with atheris.instrument_imports(include=["pixelmirror", "relay"]):
    from pixelmirror import consent_rules
    from pixelmirror.check import EventError
    from relay import midtrans, storefront_body, wire
    from relay.body import decoded
    from relay.refusals import Refusal
    from relay.storefront_body import Copy, names_of
    from tests.relay.paid_shop import SERVER_KEY, SHOP, notification
    from tests.relay.relay_stage import NOW, site
    from tests.relay.storefront_bodies import SAMPLES
    from tests.relay.test_hostile_bodies import CALLS, EVENTS, RAW, SERVER, VALUES

LONGEST = 16 * 1024
SLOW_S = 5
MOST_MB = 2048

TOKO = site(SHOP)
CONSENT = consent_rules.initial("granted", "", False)

Body = dict[str, Any]
Read = Callable[[Body], list[Body]]


def of_a_page(body: Body) -> list[Body]:
    wire.sent_at(body)
    return wire.events(body, TOKO, is_server=False)


def of_a_server(body: Body) -> list[Body]:
    return wire.events(body, TOKO, is_server=True)


def calls(body: Body) -> list[Body]:
    return wire.events_of_calls(body, TOKO)


def of_midtrans(body: Body) -> list[Body]:
    if midtrans.is_signed(body, SERVER_KEY) and midtrans.is_paid(body):
        with suppress(EventError):  # the webhook says 400
            midtrans.payment(body, TOKO, NOW)
    return []


def of_a_storefront(provider: Any) -> Read:
    copied = Copy(provider, TOKO, names_of(TOKO, provider), CONSENT, NOW)
    return lambda body: storefront_body.read(body, copied).events


# The first byte of an input says which decoder it is for.
DECODERS: list[tuple[Read, Body]] = [
    (of_a_page, EVENTS),
    (of_a_server, SERVER),
    (calls, CALLS),
    (of_midtrans, notification()),
    *((of_a_storefront(provider), sample) for provider, sample in SAMPLES.items()),
]


def one_input(data: bytes) -> None:
    """Raises what is neither a refusal nor sound events."""
    read, _ = DECODERS[data[0] % len(DECODERS) if data else 0]
    try:
        found = read(decoded(data[1:]))
    except Refusal as refusal:
        if refusal.code not in ("invalid_json", "invalid_event", "too_large"):
            raise
        return
    for event in found:
        again = json.loads(json.dumps(event, allow_nan=False).encode())
        if again != event or not event["event_id"].isprintable():
            raise AssertionError("the outbox would not give back this event as it is")


def seeds(folder: Path) -> None:
    """A right body of each kind, to start from."""
    for number, (_, body) in enumerate(DECODERS):
        (folder / str(number)).write_bytes(bytes([number]) + json.dumps(body).encode())


def words(file: Path) -> None:
    """What chance would not find: keys, names, values that are taken for something."""
    texts = {*RAW.values(), *map(json.dumps, VALUES.values())}
    for _, body in DECODERS:
        texts |= set(json.dumps(body).replace("{", "").replace("[", "").split(", "))
    lines = [
        '"' + "".join(f"\\x{byte:02x}" for byte in text.encode()) + '"'
        for text in sorted(texts)
        if len(text) < 60
    ]
    file.write_text("\n".join(lines) + "\n")


def main() -> None:
    """Fuzzes for so many seconds; ends the process."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--corpus", type=Path, help="kept and gone on from; thrown away without it")
    parser.add_argument("--found", type=Path, default=Path("test-results"))
    given = parser.parse_args()
    given.found.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fuzz-decoder-") as temporary:
        folder = Path(temporary) / "seeds"
        folder.mkdir()
        seeds(folder)
        words(Path(temporary) / "words")
        corpus = given.corpus or Path(temporary) / "corpus"
        corpus.mkdir(parents=True, exist_ok=True)
        options = {
            "max_total_time": given.seconds,
            "max_len": LONGEST,
            "timeout": SLOW_S,
            "rss_limit_mb": MOST_MB,
            "dict": Path(temporary) / "words",
            "artifact_prefix": f"{given.found}/fuzz-decoder-",
            "print_final_stats": 1,
        }
        arguments = [f"-{name}={value}" for name, value in options.items()]
        atheris.Setup([sys.argv[0], *arguments, str(corpus), str(folder)], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
