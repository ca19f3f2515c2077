// What HTML cannot do by itself: how long ago, whether the stream is up, an end to the list, and what was not sent.
(() => {
  "use strict";

  const KEEP_EVENTS = 100;
  const body = document.body;
  // Ages are counted on the gateway's clock: the one that stamped the events.
  const skew = Date.now() - Date.parse(body.dataset.now);

  function age(seconds) {
    if (seconds < 5) return "just now";
    if (seconds < 60) return `${Math.floor(seconds)} s ago`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
    if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
    return `${Math.floor(seconds / 86400)} d ago`;
  }

  function tellAges(root) {
    for (const time of root.querySelectorAll("time[data-ago]")) {
      const words = age((Date.now() - skew - Date.parse(time.dateTime)) / 1000);
      time.title ||= time.textContent;
      if (time.textContent !== words) time.textContent = words;
    }
  }

  function stream(state, word) {
    if (body.dataset.stream === state) return;
    body.dataset.stream = state;
    document.getElementById("stream-word").textContent = word;
    document.getElementById("banner").textContent =
      state === "lost" ? "The connection to the gateway is lost. What you see may be old; trying again." : "";
  }

  document.addEventListener("htmx:sse:after:connection", () => stream("live", "Live"));
  document.addEventListener("htmx:sse:before:connection", (event) => {
    if (event.detail.connection.attempt > 0 && !document.hidden) stream("lost", "Reconnecting");
  });
  document.addEventListener("htmx:sse:error", (event) => {
    if (event.detail.status === 401) location.assign("/login");
    else if (event.detail.status === 403) location.reload();
    else if (!document.hidden) stream("lost", "Reconnecting");
  });

  document.addEventListener("htmx:after:swap", () => {
    tellAges(document);
    const events = document.getElementById("events");
    while (events && events.childElementCount > KEEP_EVENTS) events.lastElementChild.remove();
  });

  // One press is one release: the button rests until the gateway has answered, and a double click counts once.
  function pressed(event, rests) {
    const button = event.target.closest?.(".door-open")?.querySelector("button");
    if (button) button.disabled = rests;
  }

  document.addEventListener("htmx:before:request", (event) => pressed(event, true));
  document.addEventListener("click", (event) => {
    if (event.detail > 1 && event.target.closest(".door-open button")) event.preventDefault();
  });
  document.addEventListener("htmx:error", (event) => {
    const form = event.target.closest?.("form");
    if (!form) return;
    pressed(event, false);
    const note = form.querySelector(".release") || document.getElementById("site-note");
    if (note) note.textContent = "Not sent: the gateway does not answer.";
  });

  // The gateway asks for a password once more: its dialog comes in place of the answer, and what was asked is asked again.
  const dialog = document.getElementById("confirm");
  let asked = "";
  document.addEventListener("htmx:before:request", (event) => {
    const form = event.target.closest?.(".door-open");
    if (form) asked = form.id;
  });
  document.addEventListener("htmx:after:swap", () => {
    const wanted = dialog.querySelector("form") !== null;
    if (wanted === dialog.open) return;
    const form = document.getElementById(asked);
    if (form) form.querySelector("button").disabled = false;
    if (wanted) {
      dialog.showModal();
    } else {
      dialog.close();
      form?.requestSubmit();
    }
  });
  dialog.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]")) dialog.close();
  });
  dialog.addEventListener("close", () => dialog.replaceChildren());

  const menu = document.querySelector(".menu");
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  tellAges(document);
  setInterval(() => tellAges(document), 1000);
})();
