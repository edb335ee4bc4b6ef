import {post} from "./post.js";
import {trackPurchase} from "./purchase.js";

const form = document.getElementById("checkout");
const said = document.getElementById("said");
const items = JSON.parse(document.getElementById("checkout-items").textContent);

form.addEventListener("change", ({target}) => {
  if (target.name !== "payment_method") return;
  pixelmirror("track", "add_payment_info", {payment_method: target.value, items});
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  showErrors({});
  try {
    const order = await post(form, event.submitter);
    trackPurchase(order);
    location.assign(`/order/${order.order_id}/thanks`);
  } catch (error) {
    said.textContent = error.message;
    showErrors(error.errors || {});
  }
});

function showErrors(errors) {
  for (const place of form.querySelectorAll(".error")) {
    const name = place.id.replace(/-error$/, "");
    place.textContent = errors[name] || "";
    if (document.getElementById(name)) {
      document.getElementById(name).setAttribute("aria-invalid", name in errors);
    }
  }
  form.querySelector("[aria-invalid=true]")?.focus();
}
