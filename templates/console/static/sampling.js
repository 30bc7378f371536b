// The countdown of the sampling day, by the server's clock; and when a button was tapped, however slow the link is.
"use strict";

const day = document.getElementById("day");
if (day) {
  const words = day.dataset;
  const away = document.getElementById("away");
  let ahead = Date.parse(words.now) - Date.now();

  const span = (milliseconds) => {
    const seconds = Math.max(0, Math.round(milliseconds / 1000));
    const two = (n) => String(n).padStart(2, "0");
    const hours = Math.floor(seconds / 3600);
    const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
    return hours ? `${hours}:${rest}` : rest;
  };

  const tick = () => {
    const now = Date.now() + ahead;
    document.querySelectorAll(".clock").forEach((clock) => {
      const from = Date.parse(clock.dataset.from);
      const to = Date.parse(clock.dataset.to);
      const [word, left] = now < from ? ["opens", from - now] : now <= to ? ["open", to - now] : ["late", now - to];
      clock.querySelector(".count-down").textContent = words[word].replace("{time}", span(left));
      clock.classList.toggle("is-open", word === "open");
      clock.classList.toggle("is-late", word === "late");
    });
  };

  const say = (text) => {
    away.textContent = text;
    away.hidden = !text;
  };

  const ask = async () => {
    try {
      const sent = Date.now();
      const answer = await fetch(words.ask, { cache: "no-store" });
      if (answer.redirected || !answer.ok) {
        say(words.out);
        return;
      }
      const said = await answer.json();
      ahead = Date.parse(said.now) - (sent + Date.now()) / 2;
      say("");
      const typing = [...document.querySelectorAll(".step input:not([type=hidden])")].some(
        (field) => field.value !== field.defaultValue,
      );
      if (String(said.record) !== words.record && !typing) location.replace(location.pathname);
    } catch {
      say(words.away);
    }
  };

  document.addEventListener("submit", (event) => {
    const tapped = event.target.querySelector("input[name=tapped]");
    if (tapped && !tapped.value) tapped.value = new Date(Date.now() + ahead).toISOString();
  });
  tick();
  setInterval(tick, 1000);
  setInterval(ask, 20000);
}
