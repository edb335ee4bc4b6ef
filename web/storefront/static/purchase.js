// The order's one purchase event. Both the checkout and the thank-you page call this: the first
// because it knows first, the second for the shopper whose browser sent the form without a script
// or left too early. pixelmirror fires a purchase once per order, however often it is called and
// however often the page is loaded again, and never one that the shop marked as spam.
export function trackPurchase(order) {
  if (order.buyer) pixelmirror("identify", order.buyer);
  pixelmirror("track", "purchase", {
    id: order.order_id,
    value: order.gross_revenue,
    shipping_amount: order.shipping_amount,
    payment_method: order.payment_method,
    is_probably_spam: order.is_probably_spam,
    items: order.items,
  });
}
