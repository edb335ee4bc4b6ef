// Sends a form to the shop and returns its answer. What the shop refuses is thrown, in its words.
export async function post(form, submitter) {
  const body = new URLSearchParams(new FormData(form, submitter));
  let response, answer;
  try {
    const headers = {Accept: "application/json"};
    response = await fetch(form.action, {method: "POST", headers, body});
    answer = await response.json();
  } catch {
    throw new Error("The shop did not answer. Please try again.");
  }
  if (response.ok) return answer;
  throw Object.assign(new Error(answer.error || "Please check the form."), answer);
}

// The number beside "Cart", for eyes and for screen readers.
export function showCount(count) {
  const badge = document.querySelector("[data-count]");
  badge.textContent = count;
  const pieces = count === 1 ? "piece" : "pieces";
  badge.parentElement.setAttribute("aria-label", `Cart, ${count} ${pieces}`);
}
