"""The reference is made of the catalogue: nothing of it is missing, stale or wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pixelmirror import catalogue
from pixelmirror.check import CHECKS
from pixelmirror.event import check_params
from relay.reference import documents, facts, words
from relay.reference.examples import EXAMPLES
from relay.reference.facts import Field
from relay.reference.javascript import literal
from relay.reference.kinds import KINDS
from relay.reference.rendering import example

REPO = Path(__file__).parents[1]
EVENTS = {event.name: event for event in facts.events()}


# --- the documents ---


@pytest.mark.parametrize(
    "path",
    ["docs/events.md", "docs/event.schema.json", "docs/openapi.json", "web/pixelmirror.d.ts"],
)
def test_the_repositorys_document_is_what_the_catalogue_says_now(path: str) -> None:
    """After a change of the catalogue, `make reference` writes the documents again."""
    assert (REPO / path).read_text(encoding="utf-8") == documents()[path], "run: make reference"


def test_there_are_no_other_documents() -> None:
    """Each one that is made is held above."""
    assert sorted(documents()) == [
        "docs/event.schema.json",
        "docs/events.md",
        "docs/openapi.json",
        "web/pixelmirror.d.ts",
    ]


def test_the_readme_leads_to_the_events() -> None:
    """Who reads of the calls finds every event, and the page of events leads back."""
    readme = (REPO / "README.md").read_text(encoding="utf-8")
    calls = readme.partition("### The calls")[2].partition("\n### ")[0]
    assert "(docs/events.md)" in calls
    assert "(web/pixelmirror.d.ts)" in calls
    assert "(docs/event.schema.json)" in readme
    for name in EVENTS:
        assert f"`{name}`" in calls, name


# --- the words ---


@pytest.mark.parametrize(
    ("sentences", "table"),
    [
        (words.EVENTS, catalogue.EVENTS),
        (words.FIELDS, catalogue.FIELDS),
        (words.ITEM, catalogue.ITEM),
        (words.PRODUCT, catalogue.PRODUCT),
        (words.USER, catalogue.USER),
        (KINDS, CHECKS),
        (EXAMPLES, catalogue.EVENTS),
    ],
    ids=["events", "fields", "item", "product", "user", "kinds", "examples"],
)
def test_the_words_cover_the_catalogue_exactly(
    sentences: dict[str, Any], table: dict[str, Any]
) -> None:
    """Each event, field and kind has its words, and nothing else has any."""
    assert sorted(sentences) == sorted(table)


@pytest.mark.parametrize(
    "sentences", [words.EVENTS, words.FIELDS, words.ITEM, words.PRODUCT, words.USER]
)
def test_what_a_thing_is_for_is_one_sentence(sentences: dict[str, str]) -> None:
    """One sentence on one line, that breaks neither a table nor a comment."""
    for name, sentence in sentences.items():
        assert sentence.endswith("."), name
        assert ". " not in sentence, name
        assert not set("\n|") & set(sentence), name
        assert "*/" not in sentence, name


def test_each_derived_field_says_from_what() -> None:
    """A rule stands for each field that some event derives, and for no other."""
    derived = {
        field.name for event in EVENTS.values() for field in event.fields if field.need == "derived"
    }
    assert derived == set(words.DERIVED)
    assert {field.name for field in facts.products() if field.need == "derived"} == set(
        words.DERIVED_OF_PRODUCT
    )


def test_no_recommended_value_is_one_that_is_checked() -> None:
    """A recommendation is for a field that takes any text."""
    for field in words.RECOMMENDED:
        assert catalogue.FIELDS[field] == "text", field


# --- what a call needs ---

# DESIGN 5.3: what can be derived is not required of the caller; specs/commanders-act.md section 2.
NEEDS = [
    ("page_view", "page_type", "default"),
    ("page_view", "title", "optional"),
    ("search", "search_term", "required"),
    ("select_item", "items", "required"),
    ("select_content", "item_id", "optional"),
    ("view_item", "items", "required"),
    ("view_item", "revenue", "derived"),
    ("add_to_cart", "value", "derived"),
    ("add_to_cart", "currency", "derived"),
    ("remove_from_cart", "value", "derived"),
    ("begin_checkout", "coupon", "optional"),
    ("add_payment_info", "payment_method", "required"),
    ("add_payment_info", "items", "optional"),
    ("purchase", "id", "required"),
    ("purchase", "items", "required"),
    ("purchase", "value", "required"),
    ("purchase", "revenue", "derived"),
    ("purchase", "type", "default"),
    ("purchase", "payment_method", "default"),
    ("purchase", "status", "default"),
    ("refund", "id", "required"),
    ("refund", "value", "required"),
    ("refund", "items", "optional"),
    ("refund", "type", "default"),
    ("generate_lead", "value", "optional"),
    ("subscribe", "value", "required"),
    ("subscribe", "subscription_id", "required"),
    ("subscribe", "predicted_ltv", "optional"),
]


@pytest.mark.parametrize(("event_name", "name", "need"), NEEDS)
def test_whether_a_field_is_needed_is_what_the_check_says(
    event_name: str, name: str, need: str
) -> None:
    """The documents say "required" of what is refused by name, and of nothing else."""
    found = {field.name: field.need for field in EVENTS[event_name].fields}
    assert found[name] == need


def test_an_item_needs_an_id_and_a_quantity_and_its_product_a_name_and_a_price() -> None:
    """specs/commanders-act.md 2, Item and Product, with DESIGN 3's shorthand."""

    def required(rows: list[Field]) -> list[str]:
        return [row.name for row in rows if row.need == "required"]

    assert required(facts.items()) == ["id", "quantity"]
    assert required(facts.products()) == ["name", "price"]
    assert required(facts.users()) == []


def test_an_orders_events_are_told_apart() -> None:
    """DESIGN 5.4: a purchase, a refund of the whole order, a subscription that an order paid."""
    rules = {name: event.order_rule for name, event in EVENTS.items()}
    assert {name: rule for name, rule in rules.items() if rule != "never"} == {
        "purchase": "always",
        "refund": "without items",
        "subscribe": "with id",
    }


# --- the examples ---


@pytest.mark.parametrize("event_name", EXAMPLES)
def test_each_example_is_right(event_name: str) -> None:
    """The check takes it as it stands, and it names fields of the catalogue only."""
    given = EXAMPLES[event_name]
    check_params(event_name, given, "IDR")
    own = {field.name for field in EVENTS[event_name].fields}
    assert set(given) <= own
    for item in given.get("items", ()):
        assert set(item) <= set(catalogue.ITEM)
        assert set(item.get("product", ())) <= set(catalogue.PRODUCT)


@pytest.mark.parametrize("event_name", EXAMPLES)
def test_the_page_shows_each_example(event_name: str) -> None:
    """Under the event's own heading, as the call that a template makes."""
    page = documents()["docs/events.md"]
    section = page.partition(f"\n## {event_name}\n")[2].partition("\n## ")[0]
    assert f"```js\n{example(event_name)}\n```" in section
    assert words.EVENTS[event_name] in section


def test_an_example_is_written_as_a_person_writes_javascript() -> None:
    """Short objects on one line, long ones broken, quotes only where a key needs them."""
    assert literal({"id": "é", "a-b": [1, True, None]}) == '{ id: "é", "a-b": [1, true, null] }'
    long = {"items": [{"id": "x" * 50, "name": "y" * 15}, {"id": 1}]}
    assert literal(long) == "\n".join(
        [
            "{",
            "  items: [",
            f'    {{ id: "{"x" * 50}", name: "{"y" * 15}" }},',
            "    { id: 1 },",
            "  ],",
            "}",
        ]
    )
