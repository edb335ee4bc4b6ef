import {post, showCount} from "./post.js";

const form = document.getElementById("add");
const said = document.getElementById("said");

form.addEventListener("change", (event) => {
  const {price, picture} = event.target.dataset;
  if (!price) return;
  document.getElementById("price").textContent = price;
  document.getElementById("picture").src = picture;
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const {grew, item, cart} = await post(form, event.submitter);
    // Only now: an event stands for something that has happened.
    if (grew) pixelmirror("track", "add_to_cart", {items: [item]});
    showCount(cart.count);
    said.textContent = grew ? "In your cart. " : "99 pieces is all we can pack. ";
    const link = document.createElement("a");
    said.append(Object.assign(link, {href: "/cart", textContent: "Go to cart"}));
  } catch (error) {
    said.textContent = error.message;
  }
});
