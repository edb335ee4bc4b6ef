"""What the page makes of Scalev's answers, and of a page that ends before one."""

from pixelmirror import direct, entries
from pixelmirror.anything import Any
from tests.unit.direct_shop import PROVIDERS, DirectShop, table
from tests.unit.samples import NOW_MS, params

ADD = ("track", "add_to_cart", params("add_to_cart"))
VIEW = ("track", "view_item", params("view_item"))
MINUTE_MS = 60 * 1000
DAY_MS = 24 * 60 * MINUTE_MS

# --- answers ---

NO_ANSWER = "no answer from Scalev: offline, blocked, or an origin that the store does not know"
NO_STORE = "no such store (404): wrong store_id or api_key, or no plan"
KEPT = "is kept and goes again"
LOST = "is lost: it is not sent again"
TWICE = "it may have arrived, and is not sent again, as a repeat would count twice"

ANSWERS: Any = (
    # status; what is said of it; of whom the copy is kept; the fate of SnackVideo's
    (200, None, [], None),
    (204, None, [], None),
    (429, "Scalev answers 429", ["meta", "snackvideo", "tiktok"], KEPT),
    (0, NO_ANSWER, ["meta", "tiktok"], "is lost: " + TWICE),
    (500, "Scalev answers 500", ["meta", "tiktok"], "is lost: " + TWICE),
    (503, "Scalev answers 503", ["meta", "tiktok"], "is lost: " + TWICE),
    (400, "Scalev answers 400", [], LOST),
    (401, "Scalev answers 401", [], LOST),
    (404, NO_STORE, [], LOST),
    (422, "Scalev answers 422", [], LOST),
)


def test_r6_r7_r50_what_an_answer_means() -> None:
    """scalev R6, R7, R50, section 2 (Retry): 2xx ends it; SnackVideo only goes again after 429."""
    for status, what, kept, fate in ANSWERS:
        shop = DirectShop().start(ADD)
        shop.answer_all(status)
        assert shop.kept() == kept, status
        expected = []
        if what:
            mine = KEPT if kept else LOST
            expected = [
                "scalev.meta: " + what + "; AddToCart " + mine,
                "scalev.tiktok: " + what + "; AddToCart " + mine,
                "scalev.snackvideo: " + what + "; addToCart " + fate,
            ]
        assert shop.said() == expected, (status, shop.said())


def test_r65_a_failure_is_said_once() -> None:
    """scalev R65: logged, and the buyer goes on; each kind of failure once for each provider."""
    shop = DirectShop().start(ADD, ADD, VIEW)
    shop.answer_all(404)
    assert [words[: words.find(":")] for words in shop.said()] == [
        "scalev." + provider for provider in PROVIDERS
    ]
    shop.call(*ADD)
    shop.answer("meta", 422)
    assert len(shop.said()) == 4


def test_what_failed_goes_again_after_a_growing_wait_under_the_same_id() -> None:
    """Section 2: the same name and event ID, so that the provider drops a repeat."""
    shop = DirectShop().start(ADD)
    shop.answer("tiktok", 204)
    shop.answer("snackvideo", 204)
    waits = []
    for _ in range(6):
        shop.answer("meta", 503)
        waits.append(shop.page.timers[0][0])
        shop.page.ring()
    assert waits == [1000, 2000, 5000, 15000, 60000, 60000], waits
    shop.answer("meta", 204)
    assert shop.kept() == []
    bodies = shop.bodies("meta")
    assert len(bodies) == 7
    assert bodies == [bodies[0]] * 7
    shop.call(*ADD)
    shop.answer("meta", 503)
    assert shop.page.timers[0][0] == 1000, "a success ends the back-off"


def test_retry_after_is_obeyed_by_its_own_route() -> None:
    """Section 2: a throttled provider waits, and holds up no other (D8)."""
    shop = DirectShop().start(ADD)
    shop.answer("snackvideo", 429, "7")
    shop.answer("meta", 204)
    shop.answer("tiktok", 204)
    shop.call(*VIEW)
    assert [len(shop.bodies(provider)) for provider in PROVIDERS] == [2, 2, 1]
    assert shop.page.done("later") == [[7000]]
    shop.page.ring()
    shop.answer_all()
    assert shop.names("snackvideo") == ["addToCart", "addToCart", "contentView"]
    assert shop.kept() == []


def test_one_request_at_a_time_for_each_provider_and_in_order() -> None:
    """What comes meanwhile waits for the answer; a refused copy holds up none."""
    shop = DirectShop().start(ADD, VIEW, ADD)
    assert shop.names("meta") == ["AddToCart"]
    shop.answer("meta", 422)
    shop.answer("meta", 204)
    assert shop.names("meta") == ["AddToCart", "ViewContent", "AddToCart"]


# --- pages that end, and tabs ---


def test_what_was_not_acknowledged_goes_again_from_the_next_page() -> None:
    """Under the same ID, once, in the order in which it happened."""
    shop = DirectShop().start(ADD, VIEW)
    shop.answer("meta", 503)
    shop.tracker.leave()
    then = shop.then().start()
    assert then.bodies("meta") == [shop.bodies("meta")[0]]
    then.answer_all()
    assert then.names("meta") == ["AddToCart", "ViewContent"]
    assert then.kept() == []


def test_of_several_tabs_one_takes_over_what_was_left() -> None:
    """What another tab has reserved, or a living one takes care of, is its own."""
    shop = DirectShop().start(ADD)
    shop.answer_all(429)
    assert shop.then().start().page.done("send") == [], "the first tab waits, and will send it"
    shop.tracker.leave()
    left = sorted(shop.page.browser.copies)
    shop.page.browser.reserved = [key for key in left if not key.endswith(".meta")]
    then = shop.then().start()
    assert [len(then.bodies(provider)) for provider in PROVIDERS] == [1, 0, 0]


def test_a_tab_that_waits_stays_in_charge_for_as_long() -> None:
    """`Retry-After` may be longer than the lease: nobody else sends it meanwhile."""
    shop = DirectShop().start(ADD)
    shop.answer("snackvideo", 429, "120")
    for passed_ms, expected in ((119000, 0), (150001, 1)):
        other = shop.then("page-" + str(passed_ms))
        other.page.clock_ms = NOW_MS + passed_ms
        other.start()
        assert len(other.bodies("snackvideo")) == expected, passed_ms


def test_what_another_tab_has_taken_is_not_sent_again() -> None:
    """A page that died for 30 seconds and lives on asks before it sends."""
    shop = DirectShop().start(ADD)
    shop.answer_all(429)
    shop.page.clock_ms += entries.LEASE_MS + 1001
    other = shop.then().start()
    assert [len(other.bodies(provider)) for provider in PROVIDERS] == [1, 1, 1]
    while shop.page.timers:
        shop.page.ring()
    assert [len(shop.bodies(provider)) for provider in PROVIDERS] == [1, 1, 1]
    other.answer_all()
    assert shop.kept() == []


def test_r50_what_a_dead_page_had_under_way_is_never_sent_to_snackvideo_again() -> None:
    """scalev R50: it may have arrived; Meta and TikTok drop the repeat."""
    shop = DirectShop().start(ADD)
    then = shop.then()
    then.page.clock_ms += entries.LEASE_MS + 1
    then.start()
    assert [len(then.bodies(provider)) for provider in PROVIDERS] == [1, 1, 0]
    what = "scalev.snackvideo: a page ended while addToCart was under way; "
    assert then.said() == [what + TWICE]
    then.answer_all()
    assert then.kept() == []


def test_r50_what_a_dead_page_had_not_posted_yet_goes_to_snackvideo_too() -> None:
    """scalev R50: what surely did not arrive is sent."""
    shop = DirectShop().start(ADD, VIEW)
    shop.answer("snackvideo", 429)
    then = shop.then()
    then.page.clock_ms += entries.LEASE_MS + 1001
    then.start()
    then.answer_all()
    assert then.names("snackvideo") == ["addToCart", "contentView"]
    assert then.said() == []


def test_leaving_posts_what_waits_and_lets_go() -> None:
    """By requests that outlive the page, as no beacon can carry the key."""
    shop = DirectShop().start(ADD, VIEW)
    shop.tracker.leave()
    for provider in PROVIDERS:
        assert len(shop.names(provider)) == 2, provider
    then = shop.then().start()
    then.answer_all()
    assert [len(then.bodies(provider)) for provider in PROVIDERS] == [2, 2, 0]
    assert then.said() == [], "what the browser has taken over is no loss to tell of"
    assert then.kept() == []


def test_leaving_posts_no_more_than_the_browser_sends_on() -> None:
    """The rest goes from the next page, to SnackVideo too."""
    shop = DirectShop().start(*([ADD] * 40))
    shop.tracker.leave()
    counts = [len(shop.bodies(provider)) for provider in PROVIDERS]
    assert min(counts) > 5, counts
    assert max(counts) < 40, counts
    texts = [repr(body) for _, _, body in shop.page.done("send")]
    assert sum([len(text) for text in texts]) < direct.LEAVING_BYTES + 5000
    then = shop.then().start()
    then.answer_all()
    assert counts[2] + len(then.bodies("snackvideo")) == 40


def test_leaving_leaves_the_mirrors_beacon_its_room() -> None:
    """What a browser would not send on surely does not arrive: it waits for the next page."""
    shop = DirectShop().start(ADD, VIEW)
    shop.page.room_bytes = direct.BEACON_BYTES + 300
    shop.tracker.leave()
    assert [len(shop.bodies(provider)) for provider in PROVIDERS] == [1, 1, 1]
    then = shop.then().start()
    assert then.names("snackvideo") == ["contentView"]


def test_a_request_that_the_browser_does_not_send_on_may_be_lost() -> None:
    """Then the next page knows of SnackVideo's what it knows of a dead page's: it says so."""
    shop = DirectShop()
    shop.page.is_full = True
    shop.start(ADD)
    shop.tracker.leave()
    then = shop.then()
    then.page.clock_ms += entries.LEASE_MS + 1
    then.start()
    assert [len(then.bodies(provider)) for provider in PROVIDERS] == [1, 1, 0]
    assert len(then.said()) == 1


def test_an_answer_after_the_page_was_hidden_still_counts() -> None:
    """A page that was only hidden goes on: 2xx ends it, 429 has it sent again later."""
    shop = DirectShop().start(ADD)
    shop.tracker.leave()
    shop.answer("meta", 204)
    shop.answer("tiktok", 204)
    shop.answer("snackvideo", 429)
    assert shop.kept() == ["snackvideo"]
    shop.page.ring()
    shop.answer("snackvideo", 204)
    assert shop.kept() == []
    assert [len(shop.bodies(provider)) for provider in PROVIDERS] == [1, 1, 2]


def test_what_is_under_way_while_the_page_is_hidden_is_not_sent_twice() -> None:
    """Its own entry, let go of, is not taken for another page's."""
    shop = DirectShop().start(ADD)
    shop.tracker.leave()
    shop.call(*VIEW)
    assert [len(shop.bodies(provider)) for provider in PROVIDERS] == [1, 1, 1]
    shop.answer("snackvideo", 429)
    shop.page.ring()
    shop.answer_all()
    assert shop.names("snackvideo") == ["addToCart", "addToCart", "contentView"]
    assert shop.kept() == []


def test_several_failures_at_once_are_one_wait() -> None:
    """What a page has posted on leaving may fail as a whole."""
    shop = DirectShop().start(ADD, VIEW, ADD)
    shop.tracker.leave()
    for _ in range(3):
        shop.answer("meta", 503)
    assert len(shop.page.timers) == 1
    shop.page.ring()
    assert shop.under_way() == list(PROVIDERS)
    assert len(shop.bodies("meta")) == 4


def test_leaving_touches_nothing_of_another_tabs() -> None:
    """What it has taken over from a page that was late is its own."""
    shop = DirectShop().start(ADD, VIEW)
    shop.page.clock_ms += entries.LEASE_MS + 1
    other = shop.then().start()
    taken = dict(shop.page.browser.copies)
    shop.tracker.leave()
    assert shop.page.browser.copies == taken
    assert [len(shop.bodies(provider)) for provider in PROVIDERS] == [1, 1, 1]
    other.answer_all()
    assert other.names("meta") == ["AddToCart", "ViewContent"]


def test_a_page_that_comes_back_posts_what_it_had_no_room_for() -> None:
    """Out of the back/forward cache, at once."""
    shop = DirectShop().start(ADD, VIEW)
    shop.page.room_bytes = 0
    shop.tracker.leave()
    for provider in PROVIDERS:
        shop.answer(provider, 204)
    shop.page.request = None  # the browser has dropped it
    shop.tracker.come_back()
    assert [shop.names(provider)[1:] for provider in PROVIDERS] == [
        ["ViewContent"],
        ["ViewContent"],
        ["contentView"],
    ]


def test_a_page_that_is_shown_again_takes_up_what_it_let_go_of() -> None:
    """Out of the background, or of the back/forward cache; what another tab took is that one's."""
    for takes_over in (False, True):
        shop = DirectShop().start(ADD)
        shop.answer_all(503)
        shop.tracker.leave()
        if takes_over:
            shop.then().start()
        shop.page.request = None  # the browser has dropped it
        shop.tracker.come_back()
        while shop.page.timers:
            shop.page.ring()
        expected = [1, 1, 1] if takes_over else [2, 2, 1]
        assert [len(shop.bodies(provider)) for provider in PROVIDERS] == expected, takes_over


# --- limits ---


def test_copies_are_kept_for_as_long_as_the_provider_takes_them() -> None:
    """Seven days for Meta and TikTok, one for SnackVideo, as in the relay."""
    for age_ms, expected in (
        (DAY_MS, ["meta", "snackvideo", "tiktok"]),
        (DAY_MS + 2, ["meta", "tiktok"]),
        (7 * DAY_MS + 2, []),
    ):
        shop = DirectShop().start(ADD)
        shop.answer_all(429)
        shop.tracker.leave()
        then = shop.then()
        then.page.clock_ms = NOW_MS + age_ms
        then.start()
        assert then.kept() == expected, age_ms
        assert [one for one in PROVIDERS if then.bodies(one)] == [
            one for one in PROVIDERS if one in expected
        ], age_ms


def test_at_most_150_copies_are_kept_and_the_oldest_go_first() -> None:
    """A store that is gone for good does not fill the shop's storage; the loss is said once."""
    shop = DirectShop().start(*([ADD] * 51))
    for provider in PROVIDERS:
        shop.answer(provider, 429)
    shop.tracker.leave()
    then = shop.then().start()
    assert len(then.kept()) == direct.MAX_KEPT == 150
    assert then.said() == ["3 server copies were never taken by Scalev and are dropped"]


def test_what_the_site_file_no_longer_says_is_forgotten() -> None:
    """A table that is gone, or relayed from now on, leaves nothing behind."""
    shop = DirectShop().start(ADD)
    shop.answer_all(429)
    shop.tracker.leave()
    then = shop.then(one=table([]))
    then.start()
    assert then.page.browser.copies == {}
