"""`web/pixelmirror.d.ts`: right calls compile, and each wrong one is an error, in TypeScript."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).parents[1]
DECLARATIONS = REPO / "web" / "pixelmirror.d.ts"
COMPILER = REPO / "web" / "node_modules" / "typescript" / "bin" / "tsc"

OPTIONS = "--strict --noEmit --pretty false --target es2022 --lib es2022,dom".split()

TIMEOUT_S = 60

RIGHT = """\
const kaos: pixelmirror.Product = { name: "Kaos", price: "60000.00" };
const item: pixelmirror.Item = { id: 7, quantity: "2", name: "Kaos", price: "60000.00" };
const items: readonly pixelmirror.Item[] = [item];
const id: string | undefined = pixelmirror("track", "add_to_cart", { items, campaign: "lebaran" });
pixelmirror.track("add_to_cart", { items: [{ id: "a", quantity: 1, name: "Kaos", price: 1 }] });
pixelmirror.track("view_item", { items: [{ id: "a", product: { name: "Kaos", price: 1 } }] });
pixelmirror.track("view_item", { items: [{ id: "a", name: "Kaos", product: { price: 1 } }] });
pixelmirror.track("page_view");
pixelmirror.track("login", null, { event_id: "mine-1", destinations: ["meta"] });
pixelmirror.track("page_view", { page_type: "our own type" });
pixelmirror.track("purchase", { id: 77, value: 1, items, currency: null, status: "pending" });
pixelmirror.track("refund", { id: "77", value: 1 }, { event_id: 5 });
pixelmirror("page");
pixelmirror.page({ page_type: "cart" });
pixelmirror("identify", { id: 77, email: "siti@example.com", gender: "f" });
pixelmirror.identify({ email_sha256: "0".repeat(64), phone_md5: "0".repeat(32) });
pixelmirror.identify(null);
pixelmirror("reset");
pixelmirror.reset();
pixelmirror("consent", "granted");
pixelmirror.consent(["1", 3]);
pixelmirror("on", "sent", (event, result) => {
  const time: number = event.event_time;
  const click: string | undefined = event.attribution.fbc;
  console.log(event.event_id, time, click, result.pixels["meta"] === "fired", result.relay);
});
pixelmirror.on("sent", () => {});
pixelmirror.ready.then((ready) => ready.track("login"));
document.addEventListener("pixelmirror:ready", () => window.pixelmirror.page());
declare namespace pixelmirror {
  interface Events { quiz_done: { score: number }; quiz_seen: {} }
}
pixelmirror.track("quiz_done", { score: 3 });
pixelmirror("track", "quiz_seen");
"""

# Each line is a mistake.
WRONG = """\
pixelmirror("track", "add_to_card", { items: [] });
pixelmirror.track("quiz_undone");
pixelmirror.track("add_to_cart");
pixelmirror.track("add_to_cart", {});
pixelmirror.track("add_to_cart", { itmes: [] });
pixelmirror.track("add_to_cart", { items: "Kaos" });
pixelmirror.track("add_to_cart", { items: [{ id: "a", name: "Kaos", price: 1 }] });
pixelmirror.track("add_to_cart", { items: [{ id: "a", quantity: 1, name: "Kaos" }] });
pixelmirror.track("add_to_cart", { items: [{ id: "a", quantity: 1, product: { price: 1 } }] });
pixelmirror.track("add_to_cart", { items: [{ quantity: 1, name: "Kaos", price: 1 }] });
pixelmirror.track("add_to_cart", { items: [{ id: "a", quantity: true, name: "Kaos", price: 1 }] });
pixelmirror.track("view_item", { items: [{ id: "a", name: "Kaos", price: 1, kind: "bundle" }] });
pixelmirror.track("select_item", { items: [] });
pixelmirror.track("search", { search_term: 7 });
pixelmirror.track("search", { search_term: null });
pixelmirror.track("add_payment_info", { payment_method: "cash" });
pixelmirror.track("purchase", { id: "77", items: [] });
pixelmirror.track("purchase", { id: "77", items: [], value: true });
pixelmirror.track("purchase", { id: "77", items: [], value: 1, status: "paid" });
pixelmirror.track("purchase", { id: "77", items: [], value: 1, is_probably_spam: "no" });
pixelmirror.track("subscribe", { value: 1 });
pixelmirror.track("login", {}, { event_id: true });
pixelmirror.track("login", {}, { destinations: "meta" });
pixelmirror.track("login", {}, { destination: ["meta"] });
pixelmirror("trak", "login");
pixelmirror("page", "cart");
pixelmirror("identify", { emial: "siti@example.com" });
pixelmirror.identify({ email_sha1: "x" });
pixelmirror.identify({ gender: "w" });
pixelmirror.identify({ phone: 62812 });
pixelmirror("reset", "siti@example.com");
pixelmirror("consent", "yes");
pixelmirror.consent(true);
pixelmirror("on", "send", () => {});
pixelmirror.on("sent", (event) => { event.event_time = "now"; });
pixelmirror.push(["track", "login"]);
pixelmirror = undefined;
"""

ERROR = re.compile(r"^(\w+\.ts)\((\d+),\d+\): error (.*)$", re.MULTILINE)


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], str]:
    """What the compiler says of each line: `{("wrong.ts", 1): "TS2345: ..."}`."""
    assert COMPILER.exists(), "the compiler is not installed: run make build"
    folder = tmp_path_factory.mktemp("typescript")
    page = (REPO / "docs" / "events.md").read_text(encoding="utf-8")
    shown = "\n".join(re.findall(r"^```js\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    for name, text in (("right.ts", RIGHT), ("wrong.ts", WRONG), ("shown.ts", shown)):
        (folder / name).write_text(text, encoding="utf-8")
    shutil.copy(DECLARATIONS, folder)
    node = shutil.which("node", path=str(Path(sys.executable).parent)) or "node"
    done = subprocess.run(
        [node, str(COMPILER), *OPTIONS, "right.ts", "wrong.ts", "shown.ts", DECLARATIONS.name],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    found = {(file, int(line)): said for file, line, said in ERROR.findall(done.stdout)}
    assert found, done.stdout + done.stderr
    return found


def test_right_calls_compile(errors: dict[tuple[str, int], str]) -> None:
    """Every form of the calls, and a site's own events declared beside the catalogue's."""
    assert {key: said for key, said in errors.items() if key[0] == "right.ts"} == {}


def test_every_example_of_the_documentation_compiles(errors: dict[tuple[str, int], str]) -> None:
    """The example calls of docs/events.md, as they stand there."""
    assert {key: said for key, said in errors.items() if key[0] == "shown.ts"} == {}


def test_the_declarations_themselves_compile(errors: dict[tuple[str, int], str]) -> None:
    """No error is told of any other file."""
    assert {file for file, _ in errors} == {"wrong.ts"}


def test_each_wrong_call_is_an_error(errors: dict[tuple[str, int], str]) -> None:
    """A misspelt event, a missing field, a value of the wrong type: each is told in its line."""
    missed = [
        line
        for number, line in enumerate(WRONG.splitlines(), start=1)
        if ("wrong.ts", number) not in errors
    ]
    assert missed == []
