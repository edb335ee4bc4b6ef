"""The catalogue: every event, its fields, and each system's own name for it.

Data that page and relay share; `pixelmirror.event` checks by it. Written in the subset of Python
that MicroPython knows. Source: specs/commanders-act.md section 2, and specs/alusio.md section 2
for `subscribe`; names: specs/meta.md 2, specs/tiktok.md 2, specs/kwai.md 2, specs/tracify.md 1,
specs/alhena.md 1.
"""

PAYMENT_METHODS = (
    "by_invoice",
    "by_bank_transfer_in_advance",
    "card",
    "check_in_advance",
    "cod",
    "coupon",
    "direct_debit",
    "online_payment_system",
    "other",
)

PURCHASE_STATUSES = (
    "canceled",
    "delivered",
    "in_progress",
    "partially_delivered",
    "partially_returned",
    "partially_shipped",
    "pending_shipment",
    "returned",
    "shipped",
    "pending",
)

# Field of params -> its kind; a kind is a check of `pixelmirror.event`, or the allowed values.
FIELDS: dict = {
    "content_type": "text",
    "coupon": "text",
    "currency": "currency",
    "id": "id",
    "is_probably_spam": "flag",
    "item_id": "id",
    "item_list_name": "text",
    "items": "items",
    "method": "text",
    "page_name": "text",
    "page_type": "text",
    "path": "text",
    "payment_method": PAYMENT_METHODS,
    "predicted_ltv": "amount",
    "referrer": "text",
    "revenue": "amount",
    "search_term": "text",
    "shipping_amount": "amount",
    "shipping_tier": "text",
    "status": PURCHASE_STATUSES,
    "subscription_id": "id",
    "tax_amount": "amount",
    "title": "text",
    "type": "text",
    "url": "text",
    "value": "amount",
}

ITEM: dict = {
    "affiliation": "text",
    "cart_quantity": "count",
    "coupon": "text",
    "discount": "amount",
    "id": "id",
    "kind": ("variant", "bundle_price_option"),
    "list_position": "count",
    "name": "text",
    "price": "amount",
    "product": "product",
    "quantity": "quantity",
    "variant": "text",
}

PRODUCT: dict = {
    "brand": "text",
    "category_1": "text",
    "category_2": "text",
    "category_3": "text",
    "category_4": "text",
    "category_5": "text",
    "colors": "texts",
    "currency": "currency",
    "id": "id",
    "name": "text",
    "price": "amount",
    "size": "text",
}
PRODUCT_REQUIRED = ("id", "name", "price")

# Personal data: hashed forms `<key>_md5` and `<key>_sha256` are taken for each of these too.
USER: dict = {
    "birthdate": "date",
    "city": "text",
    "consent_categories": "texts",
    "country": "country",
    "email": "email",
    "firstname": "text",
    "gender": ("f", "m"),
    "id": "id",
    "lastname": "text",
    "phone": "phone",
    "state": "text",
    "zipcode": "text",
}

# Event -> what it needs and may have, in the order in which a missing field is named; `defaults`
# and what `pixelmirror.event` derives are not required of the caller (DESIGN 5.3). `most_items`: no
# more than these (C17). `names`: each system's own name; a system that is not listed does not know
# the event. Commanders Act's names are ours.
EVENTS: dict = {
    "page_view": {
        "required": ("page_type",),
        "optional": ("page_name", "title", "url", "path", "referrer"),
        "defaults": {"page_type": "other"},
        "names": {
            "meta": "PageView",
            "tiktok": "Pageview",
            "kwai": "page",
            "tracify": "pageview",
        },
    },
    "view_item_list": {
        "required": ("items",),
        "optional": ("item_list_name",),
        "names": {"meta": "ViewItemList", "tiktok": "ViewItemList"},
    },
    "select_item": {
        "required": ("items",),
        "optional": ("item_list_name",),
        "most_items": 1,
        "names": {"meta": "SelectItem", "tiktok": "SelectItem"},
    },
    "select_content": {
        "required": (),
        "optional": ("content_type", "item_id"),
        "names": {"meta": "SelectContent", "tiktok": "SelectContent"},
    },
    "search": {
        "required": ("search_term",),
        "optional": (),
        "names": {"meta": "Search", "tiktok": "Search", "kwai": "search"},
    },
    "view_item": {
        "required": ("items", "value", "currency", "revenue"),
        "optional": (),
        "names": {
            "meta": "ViewContent",
            "tiktok": "ViewContent",
            "kwai": "contentView",
            "tracify": "productview",
        },
    },
    "add_to_wishlist": {
        "required": ("items",),
        "optional": ("value", "currency"),
        "names": {"meta": "AddToWishlist", "tiktok": "AddToWishlist", "kwai": "addToWishlist"},
    },
    "add_to_cart": {
        "required": ("items", "value", "currency"),
        "optional": (),
        "names": {
            "meta": "AddToCart",
            "tiktok": "AddToCart",
            "kwai": "addToCart",
            "tracify": "addtocart",
            "alhena": "sendCartEvent",
        },
    },
    "remove_from_cart": {
        "required": ("items",),
        "optional": ("value", "currency"),
        "names": {
            "meta": "RemoveFromCart",
            "tiktok": "RemoveFromCart",
            "alhena": "sendCartEvent",
        },
    },
    "view_cart": {
        "required": ("items",),
        "optional": ("value", "currency"),
        "names": {
            "meta": "ViewCart",
            "tiktok": "ViewCart",
        },
    },
    "begin_checkout": {
        "required": ("items", "value", "currency", "revenue"),
        "optional": ("coupon", "id"),
        "names": {
            "meta": "InitiateCheckout",
            "tiktok": "InitiateCheckout",
            "kwai": "initiatedCheckout",
        },
    },
    "add_shipping_info": {
        "required": ("items", "value", "currency"),
        "optional": ("coupon", "shipping_tier"),
        "names": {"meta": "AddShippingInfo", "tiktok": "AddShippingInfo"},
    },
    "add_payment_info": {
        "required": ("payment_method",),
        "optional": ("coupon", "id", "items", "value", "currency", "revenue"),
        "names": {
            "meta": "AddPaymentInfo",
            "tiktok": "AddPaymentInfo",
            "kwai": "addPaymentInfo",
        },
    },
    "purchase": {
        "required": (
            "id",
            "items",
            "value",
            "currency",
            "revenue",
            "type",
            "payment_method",
            "status",
        ),
        "optional": ("shipping_amount", "tax_amount", "coupon", "url", "is_probably_spam"),
        "defaults": {"type": "online", "payment_method": "other", "status": "in_progress"},
        "names": {
            "meta": "Purchase",
            "tiktok": "CompletePayment",
            "kwai": "purchase",
            "tracify": "purchase",
            "alhena": "sendCheckoutEvent",
        },
    },
    # Full without items, which are required of a partial one.
    "refund": {
        "required": ("id", "value", "currency", "revenue", "type"),
        "optional": ("items", "shipping_amount", "tax_amount", "coupon", "url"),
        "defaults": {"type": "online"},
        "names": {"meta": "Refund", "tiktok": "Refund"},
    },
    "generate_lead": {
        "required": (),
        "optional": ("id", "value", "currency"),
        "names": {
            "meta": "Lead",
            "tiktok": "Lead",
            "kwai": "formSubmit",
            "tracify": "conversion",
        },
    },
    "sign_up": {
        "required": (),
        "optional": ("method",),
        "names": {
            "meta": "CompleteRegistration",
            "tiktok": "CompleteRegistration",
            "kwai": "completeRegistration",
        },
    },
    "login": {
        "required": (),
        "optional": ("method",),
        "names": {"meta": "Login", "tiktok": "Login"},
    },
    # A membership that became active (specs/alusio.md); `id` is its order's (L3).
    "subscribe": {
        "required": ("value", "currency", "subscription_id"),
        "optional": ("id", "predicted_ltv"),
        "names": {
            "meta": "Subscribe",
            "tiktok": "Subscribe",
            "kwai": "subscribe",
            "tracify": "conversion",
        },
    },
}

# Systems that take any name, so a custom event (and Commanders Act: every event) keeps its own.
FREE_NAMES = ("meta", "tiktok", "commanders_act")

# Their amounts are the order's own and never the sum of their items.
ORDER_EVENTS = ("purchase", "refund")

# The shopper looks at one piece of each item (scalev R39), so its quantity may be left out.
VIEWING_EVENTS = ("view_item", "view_item_list", "select_item")

CURRENCIES = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP "
    "BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP "
    "GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR "
    "KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK "
    "MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR "
    "SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS "
    "UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG"
).split(" ")


# A longer word is no misspelt name of ours, and comparing one of half a megabyte takes minutes.
NEAREST_LIMIT = 64


def own_name(event_name: str, system: str, own_names: dict | None = None) -> str | None:
    """The system's own name for an event; None if it has none.

    `own_names` (of the site file) go first. `own_name("purchase", "tiktok")`: `"CompletePayment"`.
    """
    if own_names and event_name in own_names:
        return own_names[event_name]
    if event_name not in EVENTS or system == "commanders_act":
        return event_name if system in FREE_NAMES else None
    return EVENTS[event_name]["names"].get(system)


def nearest(word: str, known: list) -> str | None:
    """The known word most like this one, for "did you mean"; None when nothing is near."""
    if len(word) > NEAREST_LIMIT:
        return None
    best, best_distance = None, len(word) // 2 + 1
    for candidate in sorted(known):
        distance = _distance(word.lower(), candidate.lower())
        if distance < best_distance:
            best, best_distance = candidate, distance
    return best


def _distance(a: str, b: str) -> int:
    """Levenshtein's distance of two words."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a):
        previous, row = row, [i + 1]
        for j, y in enumerate(b):
            row.append(min(row[j] + 1, previous[j + 1] + 1, previous[j] + (x != y)))
    return row[-1]
