import {post, showCount} from "./post.js";

const show = (scope, name, text) => (scope.querySelector(`[${name}]`).textContent = text);

for (const form of document.querySelectorAll("[data-stepper]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    // A refusal means that the cart changed elsewhere, in another tab say: show what is there now.
    const answer = await post(form, event.submitter).catch(() => location.reload());
    if (!answer) return;
    const {grew, item, line, cart} = answer;
    if (grew) pixelmirror("track", grew > 0 ? "add_to_cart" : "remove_from_cart", {items: [item]});
    const row = form.closest("li");
    const [less, more] = form.querySelectorAll("button");
    form.querySelector("output").textContent = line.quantity;
    [less.value, more.value] = [line.quantity - 1, line.quantity + 1];
    [less.disabled, more.disabled] = [line.quantity === 1, line.quantity === 99];
    const removal = row.querySelector("[data-remove]");
    removal.dataset.pmParams = JSON.stringify({
      items: [{...item, quantity: line.quantity, cart_quantity: 0}],
    });
    show(row, "data-line-total", line.total);
    show(document, "data-subtotal", cart.subtotal);
    show(document, "data-total", cart.total);
    showCount(cart.count);
  });
}
