import {trackPurchase} from "./purchase.js";

trackPurchase(JSON.parse(document.getElementById("order").textContent));
