// Sends a form to the shop and returns its answer. What the shop refuses is thrown, in its words.
export async function post(form, submitter) {
  const body = new URLSearchParams(new FormData(form, submitter));
  let response, answer;
  try {
    response = await fetch(form.action, {method: "POST", headers: {Accept: "application/json"}, body});
    answer = await response.json();
  } catch {
    throw new Error("The shop did not answer. Please try again.");
  }
  if (!response.ok) throw Object.assign(new Error(answer.error || "Please check the form."), answer);
  return answer;
}

// The number beside "Cart", for eyes and for screen readers.
export function showCount(count) {
  const badge = document.querySelector("[data-count]");
  badge.textContent = count;
  badge.parentElement.setAttribute("aria-label", `Cart, ${count} ${count === 1 ? "piece" : "pieces"}`);
}
