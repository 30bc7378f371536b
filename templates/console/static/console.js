// Comfort only: every page works without it.
"use strict";

// A form is sent once, however often its button is pressed. The server takes it once in any case.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  if (form.method === "post") form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form").forEach((form) => delete form.dataset.sent);
});

// Filters act as soon as they are chosen.
document.querySelectorAll("form.filters select").forEach((select) => {
  select.addEventListener("change", () => select.form.requestSubmit());
});

// The account's menu closes with Escape or a click elsewhere.
const me = document.querySelector("details.me");
if (me) {
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && me.open) {
      me.open = false;
      me.querySelector("summary").focus();
    }
  });
  document.addEventListener("click", (event) => {
    if (!me.contains(event.target)) me.open = false;
  });
}

// The total of a score whose sites are tapped one by one; the server adds up for itself.
document.querySelectorAll(".sums").forEach((group) => {
  const sum = group.querySelector(".sum");
  const add = () => {
    const scores = [...group.querySelectorAll("input[type=radio]:checked")].map((one) => Number(one.value));
    sum.querySelector("output").textContent = scores.reduce((all, one) => all + one, 0);
    sum.hidden = scores.length === 0;
  };
  group.addEventListener("change", add);
  add();
});

// After a refusal, to the first field that has something wrong.
const wrong = document.querySelector("[aria-invalid]");
if (wrong) wrong.focus();
