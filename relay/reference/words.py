"""What each event and each field is for, in a sentence: the catalogue's words for people.

They stand here and not in the catalogue because that one is loaded by every page.
"""

from __future__ import annotations

EVENTS = {
    "page_view": "The shopper sees a page.",
    "view_item_list": "The shopper sees a list of items: a category, a collection, what was found.",
    "select_item": "The shopper chooses one item of a list.",
    "select_content": "The shopper chooses what is no item: a banner, a promotion, an article.",
    "search": "The shopper searches the shop.",
    "view_item": "The shopper sees an item by itself, as on its product page.",
    "add_to_wishlist": "The shopper puts items on a wish list.",
    "add_to_cart": "The shopper puts items into the cart.",
    "remove_from_cart": "The shopper takes items out of the cart.",
    "view_cart": "The shopper sees the cart.",
    "begin_checkout": "The shopper starts the checkout.",
    "add_shipping_info": "The shopper has said where to and how the order is to be sent.",
    "add_payment_info": "The shopper has said how the order is to be paid.",
    "purchase": "The shopper has bought: the order is there.",
    "refund": "The shop pays an order back: all of it, or the items that are named.",
    "generate_lead": "The shopper has asked the shop to get in touch.",
    "sign_up": "The shopper has made an account.",
    "login": "The shopper has logged in.",
    "subscribe": "A membership has become active, at the price of its tier.",
}

FIELDS = {
    "content_type": "What kind of content it is, such as `banner`.",
    "coupon": "The coupon's code.",
    "currency": "The currency of every amount of the event.",
    "id": "The shop's own ID of the order, or of the lead.",
    "is_probably_spam": "True for an order that looks like spam: it is sent nowhere.",
    "item_id": "The content's ID.",
    "item_list_name": "The list's name, such as `New arrivals`.",
    "items": "The items that it is about.",
    "method": "By which way, such as `email` or `google`.",
    "page_name": "The shop's own name of the page.",
    "page_type": "What kind of page it is.",
    "path": "The path of the page's URL.",
    "payment_method": "How it is paid.",
    "predicted_ltv": "What the membership is expected to bring in all.",
    "referrer": "The URL of the page before.",
    "revenue": "The amount after discount, without shipping and tax.",
    "search_term": "What was searched for.",
    "shipping_amount": "The shipping cost.",
    "shipping_tier": "The way of shipping, such as `express`.",
    "status": "How far the order is.",
    "subscription_id": "The membership's ID.",
    "tax_amount": "The tax.",
    "title": "The page's title.",
    "type": "Where it was bought: `online`, `offline`, `call` or another text.",
    "url": "The page's URL.",
    "value": "The amount after discount, with shipping and tax.",
}

ITEM = {
    "affiliation": "The shop or partner that the item came from.",
    "cart_quantity": "How many of it are in the cart after the action; Alhena gets it.",
    "coupon": "The code of the item's own coupon.",
    "discount": "What is taken off the price of one piece.",
    "id": "The shop's own ID of it: the variant's, or the product's where there are no variants.",
    "kind": "What the ID is of, for Scalev; without it a variant.",
    "list_position": "Its place in the list.",
    "name": "Shorthand for the product's `name`.",
    "price": "Shorthand for the product's `price`.",
    "product": "What the item is one of.",
    "quantity": "How many pieces.",
    "variant": "The variant's name, such as `L`.",
}

PRODUCT = {
    "brand": "The brand.",
    "category_1": "The category.",
    "category_2": "The category within `category_1`.",
    "category_3": "The category within `category_2`.",
    "category_4": "The category within `category_3`.",
    "category_5": "The category within `category_4`.",
    "colors": "The colours.",
    "currency": "The currency of the price: that of the event and of all its items.",
    "id": "The product's ID in the catalogue that the shop gave the destinations.",
    "name": "The name.",
    "price": "The list price of one piece, before discount and without tax.",
    "size": "The size.",
}

USER = {
    "birthdate": "The day of birth.",
    "city": "The town.",
    "consent_categories": "The consent categories agreed to; those of `consent` if it is left out.",
    "country": "The country.",
    "email": "The e-mail address.",
    "firstname": "The first name.",
    "gender": "The gender.",
    "id": "The shop's own ID of the shopper.",
    "lastname": "The last name.",
    "phone": "The telephone number.",
    "state": "The state or province.",
    "zipcode": "The postal code.",
}

# How a field of params that is left out is filled in.
DERIVED = {
    "currency": "the products' `currency`, else the site's",
    "revenue": "`value` less shipping and tax",
    "value": "`revenue` plus shipping and tax, else the sum of the items, less their discounts",
}

DERIVED_OF_PRODUCT = {"id": "the item's `id`"}

# Texts that a destination knows; others are taken too. Source: specs/commanders-act.md section 2.
RECOMMENDED = {
    "page_type": (
        "home landing product_list product content_list content search funnel success "
        "funnel_confirmation account cart legal other"
    ).split(),
}
