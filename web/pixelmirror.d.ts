// The types of the global `pixelmirror`. Made by `make reference` from the catalogue of events:
// what is changed here by hand is lost.
//
// A site's own events (`custom_events`) are declared beside it, in a module within `declare global`:
//
//     declare namespace pixelmirror {
//       interface Events { quiz_done: { score: number } }
//     }

declare namespace pixelmirror {
  /** A number of 0 or more, or a text that can be read in one way only: `147000.00`, but not `150.000`. Rupiah are sent whole. */
  type Amount = number | string;

  /** A whole number of 0 or more, or its digits. */
  type Count = number | string;

  /** A code of ISO 3166-1, 2 or 3 letters. */
  type Country = string;

  /** A three-letter code of ISO 4217. */
  type Currency = string;

  /** A date as `YYYY-MM-DD`. */
  type IsoDate = string;

  /** An e-mail address: `name@domain`. */
  type Email = string;

  /** A text or a whole number. */
  type Id = string | number;

  /** A telephone number, best with its country code: `+628123456789`. */
  type Phone = string;

  /** A whole number of 1 or more, or its digits. */
  type Quantity = number | string;

  type PaymentMethod =
    | "by_invoice"
    | "by_bank_transfer_in_advance"
    | "card"
    | "check_in_advance"
    | "cod"
    | "coupon"
    | "direct_debit"
    | "online_payment_system"
    | "other";

  type Status =
    | "canceled"
    | "delivered"
    | "in_progress"
    | "partially_delivered"
    | "partially_returned"
    | "partially_shipped"
    | "pending_shipment"
    | "returned"
    | "shipped"
    | "pending";

  type Kind =
    | "variant"
    | "bundle_price_option";

  type Gender =
    | "f"
    | "m";

  type PageType =
    | "home"
    | "landing"
    | "product_list"
    | "product"
    | "content_list"
    | "content"
    | "search"
    | "funnel"
    | "success"
    | "funnel_confirmation"
    | "account"
    | "cart"
    | "legal"
    | "other"
    | (string & {});

  /** What an item is one of; what an item needs of it may stand on the item instead. */
  interface Product {
    /** The brand. */
    brand?: string | null;
    /** The category. */
    category_1?: string | null;
    /** The category within `category_1`. */
    category_2?: string | null;
    /** The category within `category_2`. */
    category_3?: string | null;
    /** The category within `category_3`. */
    category_4?: string | null;
    /** The category within `category_4`. */
    category_5?: string | null;
    /** The colours. */
    colors?: readonly Id[] | null;
    /** The currency of the price: that of the event and of all its items. */
    currency?: Currency | null;
    /** The product's ID in the catalogue that the shop gave the destinations. Left out: the item's `id`. */
    id?: Id | null;
    /** The name. */
    name?: string | null;
    /** The list price of one piece, before discount and without tax. */
    price?: Amount | null;
    /** The size. */
    size?: string | null;
    [more: string]: unknown;
  }

  interface ItemFields {
    /** The shop or partner that the item came from. */
    affiliation?: string | null;
    /** How many of it are in the cart after the action; Alhena gets it. */
    cart_quantity?: Count | null;
    /** The code of the item's own coupon. */
    coupon?: string | null;
    /** What is taken off the price of one piece. */
    discount?: Amount | null;
    /** The shop's own ID of it: the variant's, or the product's where there are no variants. */
    id: Id;
    /** What the ID is of, for Scalev; without it a variant. */
    kind?: Kind | null;
    /** Its place in the list. */
    list_position?: Count | null;
    /** Shorthand for the product's `name`. */
    name?: string | null;
    /** Shorthand for the product's `price`. */
    price?: Amount | null;
    /** What the item is one of. */
    product?: Product | null;
    /** The variant's name, such as `L`. */
    variant?: string | null;
    [more: string]: unknown;
  }

  /** An item that the shopper looks at: one piece, unless `quantity` says more. */
  type ViewedItem = ItemFields & { quantity?: Quantity | null }
    & ({ name: string } | { product: { name: string } })
    & ({ price: Amount } | { product: { price: Amount } });

  /** One line of a cart or of an order. */
  type Item = ViewedItem & { quantity: Quantity };

  interface UserFields {
    /** The day of birth. */
    birthdate?: IsoDate | null;
    /** The town. */
    city?: string | null;
    /** The consent categories agreed to; those of `consent` if it is left out. */
    consent_categories?: readonly Id[] | null;
    /** The country. */
    country?: Country | null;
    /** The e-mail address. */
    email?: Email | null;
    /** The first name. */
    firstname?: string | null;
    /** The gender. */
    gender?: Gender | null;
    /** The shop's own ID of the shopper. */
    id?: Id | null;
    /** The last name. */
    lastname?: string | null;
    /** The telephone number. */
    phone?: Phone | null;
    /** The state or province. */
    state?: string | null;
    /** The postal code. */
    zipcode?: string | null;
  }

  /** What the shopper told the shop. What is hashed is in hexadecimal. */
  type User = UserFields & {
    [field in `${keyof UserFields}_${"md5" | "sha256"}`]?: string | null;
  };

  /** What each event is called with; fields of the shop's own are taken too. */
  interface Events {
    /** The shopper sees a page. */
    page_view: {
      /** What kind of page it is. Left out: `other`. */
      page_type?: PageType | null;
      /** The shop's own name of the page. */
      page_name?: string | null;
      /** The page's title. */
      title?: string | null;
      /** The page's URL. */
      url?: string | null;
      /** The path of the page's URL. */
      path?: string | null;
      /** The URL of the page before. */
      referrer?: string | null;
      [more: string]: unknown;
    };
    /** The shopper sees a list of items: a category, a collection, what was found. */
    view_item_list: {
      /** The items that it is about. */
      items: readonly ViewedItem[];
      /** The list's name, such as `New arrivals`. */
      item_list_name?: string | null;
      [more: string]: unknown;
    };
    /** The shopper chooses one item of a list. */
    select_item: {
      /** The items that it is about. */
      items: readonly [ViewedItem];
      /** The list's name, such as `New arrivals`. */
      item_list_name?: string | null;
      [more: string]: unknown;
    };
    /** The shopper chooses what is no item: a banner, a promotion, an article. */
    select_content: {
      /** What kind of content it is, such as `banner`. */
      content_type?: string | null;
      /** The content's ID. */
      item_id?: Id | null;
      [more: string]: unknown;
    };
    /** The shopper searches the shop. */
    search: {
      /** What was searched for. */
      search_term: string;
      [more: string]: unknown;
    };
    /** The shopper sees an item by itself, as on its product page. */
    view_item: {
      /** The items that it is about. */
      items: readonly ViewedItem[];
      /** The amount after discount, with shipping and tax. Left out: `revenue` plus shipping and tax, else the sum of the items, less their discounts. */
      value?: Amount | null;
      /** The currency of every amount of the event. Left out: the products' `currency`, else the site's. */
      currency?: Currency | null;
      /** The amount after discount, without shipping and tax. Left out: `value` less shipping and tax. */
      revenue?: Amount | null;
      [more: string]: unknown;
    };
    /** The shopper puts items on a wish list. */
    add_to_wishlist: {
      /** The items that it is about. */
      items: readonly Item[];
      /** The amount after discount, with shipping and tax. Left out: `revenue` plus shipping and tax, else the sum of the items, less their discounts. */
      value?: Amount | null;
      /** The currency of every amount of the event. Left out: the products' `currency`, else the site's. */
      currency?: Currency | null;
      [more: string]: unknown;
    };
    /** The shopper puts items into the cart. */
    add_to_cart: {
      /** The items that it is about. */
      items: readonly Item[];
      /** The amount after discount, with shipping and tax. Left out: `revenue` plus shipping and tax, else the sum of the items, less their discounts. */
      value?: Amount | null;
      /** The currency of every amount of the event. Left out: the products' `currency`, else the site's. */
      currency?: Currency | null;
      [more: string]: unknown;
    };
    /** The shopper takes items out of the cart. */
    remove_from_cart: {
      /** The items that it is about. */
      items: readonly Item[];
      /** The amount after discount, with shipping and tax. Left out: `revenue` plus shipping and tax, else the sum of the items, less their discounts. */
      value?: Amount | null;
      /** The currency of every amount of the event. Left out: the products' `currency`, else the site's. */
      currency?: Currency | null;
      [more: string]: unknown;
    };
    /** The shopper sees the cart. */
    view_cart: {
      /** The items that it is about. */
      items: readonly Item[];
      /** The amount after discount, with shipping and tax. Left out: `revenue` plus shipping and tax, else the sum of the items, less their discounts. */
      value?: Amount | null;
      /** The currency of every amount of the event. Left out: the products' `currency`, else the site's. */
      currency?: Currency | null;
      [more: string]: unknown;
    };
    /** The shopper starts the checkout. */
    begin_checkout: {
      /** The items that it is about. */
      items: readonly Item[];
      /** The amount after discount, with shipping and tax. Left out: `revenue` plus shipping and tax, else the sum of the items, less their discounts. */
      value?: Amount | null;
      /** The currency of every amount of the event. Left out: the products' `currency`, else the site's. */
      currency?: Currency | null;
      /** The amount after discount, without shipping and tax. Left out: `value` less shipping and tax. */
      revenue?: Amount | null;
      /** The coupon's code. */
      coupon?: string | null;
      /** The shop's own ID of the order, or of the lead. */
      id?: Id | null;
      [more: string]: unknown;
    };
    /** The shopper has said where to and how the order is to be sent. */
    add_shipping_info: {
      /** The items that it is about. */
      items: readonly Item[];
      /** The amount after discount, with shipping and tax. Left out: `revenue` plus shipping and tax, else the sum of the items, less their discounts. */
      value?: Amount | null;
      /** The currency of every amount of the event. Left out: the products' `currency`, else the site's. */
      currency?: Currency | null;
      /** The coupon's code. */
      coupon?: string | null;
      /** The way of shipping, such as `express`. */
      shipping_tier?: string | null;
      [more: string]: unknown;
    };
    /** The shopper has said how the order is to be paid. */
    add_payment_info: {
      /** How it is paid. */
      payment_method: PaymentMethod;
      /** The coupon's code. */
      coupon?: string | null;
      /** The shop's own ID of the order, or of the lead. */
      id?: Id | null;
      /** The items that it is about. */
      items?: readonly Item[] | null;
      /** The amount after discount, with shipping and tax. Left out: `revenue` plus shipping and tax, else the sum of the items, less their discounts. */
      value?: Amount | null;
      /** The currency of every amount of the event. Left out: the products' `currency`, else the site's. */
      currency?: Currency | null;
      /** The amount after discount, without shipping and tax. Left out: `value` less shipping and tax. */
      revenue?: Amount | null;
      [more: string]: unknown;
    };
    /** The shopper has bought: the order is there. */
    purchase: {
      /** The shop's own ID of the order, or of the lead. */
      id: Id;
      /** The items that it is about. */
      items: readonly Item[];
      /** The amount after discount, with shipping and tax. */
      value: Amount;
      /** The currency of every amount of the event. Left out: the products' `currency`, else the site's. */
      currency?: Currency | null;
      /** The amount after discount, without shipping and tax. Left out: `value` less shipping and tax. */
      revenue?: Amount | null;
      /** Where it was bought: `online`, `offline`, `call` or another text. Left out: `online`. */
      type?: string | null;
      /** How it is paid. Left out: `other`. */
      payment_method?: PaymentMethod | null;
      /** How far the order is. Left out: `in_progress`. */
      status?: Status | null;
      /** The shipping cost. */
      shipping_amount?: Amount | null;
      /** The tax. */
      tax_amount?: Amount | null;
      /** The coupon's code. */
      coupon?: string | null;
      /** The page's URL. */
      url?: string | null;
      /** True for an order that looks like spam: it is sent nowhere. */
      is_probably_spam?: boolean | null;
      [more: string]: unknown;
    };
    /** The shop pays an order back: all of it, or the items that are named. */
    refund: {
      /** The shop's own ID of the order, or of the lead. */
      id: Id;
      /** The amount after discount, with shipping and tax. */
      value: Amount;
      /** The currency of every amount of the event. Left out: the products' `currency`, else the site's. */
      currency?: Currency | null;
      /** The amount after discount, without shipping and tax. Left out: `value` less shipping and tax. */
      revenue?: Amount | null;
      /** Where it was bought: `online`, `offline`, `call` or another text. Left out: `online`. */
      type?: string | null;
      /** The items that it is about. */
      items?: readonly Item[] | null;
      /** The shipping cost. */
      shipping_amount?: Amount | null;
      /** The tax. */
      tax_amount?: Amount | null;
      /** The coupon's code. */
      coupon?: string | null;
      /** The page's URL. */
      url?: string | null;
      [more: string]: unknown;
    };
    /** The shopper has asked the shop to get in touch. */
    generate_lead: {
      /** The shop's own ID of the order, or of the lead. */
      id?: Id | null;
      /** The amount after discount, with shipping and tax. */
      value?: Amount | null;
      /** The currency of every amount of the event. Left out: the products' `currency`, else the site's. */
      currency?: Currency | null;
      [more: string]: unknown;
    };
    /** The shopper has made an account. */
    sign_up: {
      /** By which way, such as `email` or `google`. */
      method?: string | null;
      [more: string]: unknown;
    };
    /** The shopper has logged in. */
    login: {
      /** By which way, such as `email` or `google`. */
      method?: string | null;
      [more: string]: unknown;
    };
    /** A membership has become active, at the price of its tier. */
    subscribe: {
      /** The amount after discount, with shipping and tax. */
      value: Amount;
      /** The currency of every amount of the event. Left out: the products' `currency`, else the site's. */
      currency?: Currency | null;
      /** The membership's ID. */
      subscription_id: Id;
      /** The shop's own ID of the order, or of the lead. */
      id?: Id | null;
      /** What the membership is expected to bring in all. */
      predicted_ltv?: Amount | null;
      [more: string]: unknown;
    };
  }

  type EventName = keyof Events & string;

  /** Params and options. The params may be left out where the event needs none. */
  type Said<Name extends EventName> = {} extends Events[Name]
    ? [params?: Events[Name] | null, options?: Options | null]
    : [params: Events[Name], options?: Options | null];

  interface Options {
    /** This event ID instead of a new one. */
    event_id?: Id | null;
    /** Only these destinations, by their names in the site file. */
    destinations?: readonly Id[] | null;
  }

  /** For everything, for nothing, or for these categories. */
  type Consent = "granted" | "denied" | readonly Id[];

  type Attribution =
    | "fbc"
    | "fbp"
    | "ttclid"
    | "ttp"
    | "kwai_click_id"
    | "caid"
    | "alhena_fingerprint"
    | "alhena_faq_fingerprint";

  /** An event as pixels and relay are given it. */
  interface Sent {
    event_id: string;
    event_name: string;
    /** In milliseconds since 1970. */
    event_time: number;
    page: { url: string; referrer?: string; title?: string };
    params: { [field: string]: unknown };
    user?: { [field: string]: unknown };
    visitor_id?: string;
    attribution: { [field in Attribution]?: string };
    consent: { status: "granted"; categories?: string[]; gpc?: true };
    destinations?: string[];
    /** Those to which the page posts it itself. */
    direct?: string[];
  }

  /** What became of an event in the page. */
  interface Result {
    /** By the destination's name; what is not fired says why. */
    pixels: { [destination: string]: "fired" | `skipped: ${string}` | `failed: ${string}` };
    /** `kept`: the relay could not be reached, and it will go again under the same ID. */
    relay: "stored" | "kept" | "refused";
  }

  type Listener = (event: Sent, result: Result) => void;

  interface Pixelmirror {
    /** One event. Gives its event ID, once Python is up; the console says what is wrong. */
    <Name extends EventName>(call: "track", name: Name, ...said: Said<Name>): string | undefined;
    track<Name extends EventName>(name: Name, ...said: Said<Name>): string | undefined;

    /** A `page_view`. */
    (call: "page", params?: Events["page_view"] | null): string | undefined;
    page(params?: Events["page_view"] | null): string | undefined;

    /** What the shopper told the shop, kept for this page's later events; `null` forgets it. */
    (call: "identify", user: User | null): undefined;
    identify(user: User | null): undefined;

    /** The shopper has logged out: the user is forgotten, and a new visitor ID begins. */
    (call: "reset"): undefined;
    reset(): undefined;

    /** Remembered, and sent with each event. */
    (call: "consent", consent: Consent): undefined;
    consent(consent: Consent): undefined;

    /** Told once for each event, when its fate in the page is known. */
    (call: "on", moment: "sent", listener: Listener): undefined;
    on(moment: "sent", listener: Listener): undefined;

    /** The global itself, once Python is up; what is called before waits. */
    readonly ready: Promise<Pixelmirror>;
    readonly version: string;
  }
}

declare const pixelmirror: pixelmirror.Pixelmirror;

interface Window {
  readonly pixelmirror: pixelmirror.Pixelmirror;
}

interface DocumentEventMap {
  "pixelmirror:ready": CustomEvent<null>;
}
