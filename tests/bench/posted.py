"""What a page posts to the relay: a browser's head, and a body as the tracker's mirror makes it."""

from __future__ import annotations

import json

from pixelmirror.event import build
from tests.bench.load import PLACE
from tests.unit.mirror_stage import Stage

# As Chrome on Android sends them to a relay below the shop's own domain.
HEAD = """\
POST /s/toko HTTP/1.1\r
Host: t.toko.example\r
Connection: keep-alive\r
Content-Length: {length}\r
sec-ch-ua-platform: "Android"\r
User-Agent: Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) \
Chrome/141.0.0.0 Mobile Safari/537.36\r
sec-ch-ua: "Google Chrome";v="141", "Not?A_Brand";v="8", "Chromium";v="141"\r
Content-Type: text/plain;charset=UTF-8\r
sec-ch-ua-mobile: ?1\r
Accept: */*\r
Origin: https://toko.example\r
Sec-Fetch-Site: same-site\r
Sec-Fetch-Mode: cors\r
Sec-Fetch-Dest: empty\r
Referer: https://toko.example/\r
Accept-Encoding: gzip, deflate, br, zstd\r
Accept-Language: id-ID,id;q=0.9,en-US;q=0.8,en;q=0.7\r
Cookie: _fbp=fb.1.1750000000000.482112345; _fbc=fb.1.1750000000000.IwY2xjawMxAbCdEfGhIjKlMnOp\
QrStUvWxYz0123456789_aem_AbCdEf; _pm_visitor=0199cb23-8a00-7000-8000-0123456789ab\r
\r
"""

ITEM = {
    "id": "variant_a1b2c3d4",
    "quantity": 2,
    "variant": "Navy / XL",
    "product": {
        "id": "prod_9f8e7d6c",
        "name": "Kaos Polos Cotton Combed 30s Lengan Panjang",
        "brand": "Toko",
        "category_1": "Apparel",
        "price": 60000,
    },
}


def body(events: int, now_ms: int) -> str:
    """What a page posts of so many events, each of them about 1 KB."""
    stage = Stage(clock_ms=now_ms)
    stage.mirror.cookie_domain = "toko.example"
    for number in range(events):
        stage.mirror.keep(f"key-{number}", _event(now_ms))
    stage.mirror.flush()
    document, _ = stage.page.request
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def _event(now_ms: int) -> dict[str, object]:
    context = {
        "site": {"currency": "IDR", "custom_events": ()},
        "page": {
            "url": "https://toko.example/p/kaos-polos?utm_source=facebook&utm_campaign=gajian",
            "referrer": "https://m.facebook.com/",
            "title": "Kaos Polos Cotton Combed 30s | Toko",
        },
        "user": {"id": "C-77", "email": "siti@example.com", "phone": "+6281234567890"},
        "attribution": {
            "fbc": "fb.1.1750000000000.IwY2xjawMxAbCdEfGhIjKlMnOpQrStUvWxYz0123456789_aem_AbCdEf",
            "fbp": "fb.1.1750000000000.482112345",
            "ttp": "2abcDEF0123456789",
        },
        "consent": {"status": "granted", "categories": ["1", "3"]},
        "visitor_id": "0199cb23-8a00-7000-8000-0123456789ab",
    }
    found: dict[str, object] = build("add_to_cart", {"items": [ITEM]}, PLACE, now_ms, {}, context)
    return found
