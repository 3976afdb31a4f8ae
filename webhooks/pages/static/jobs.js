// The list of jobs is searched while one types: what is on the page at once, all the rest on the server.
"use strict";
(() => {
  const form = document.querySelector("[data-find]");
  const field = form.elements.q, PAUSE = 180;
  const list = () => document.getElementById("job-list");
  let timer = 0, asking = null;

  const narrow = () => {
    const words = field.value.toLowerCase().split(/\s+/);
    for (const row of list().querySelectorAll(".joblist > li")) {
      const text = row.querySelector(".job-what").textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
  };
  const address = () => {
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value.trim()));
    return String(query) ? `/jobs?${query}` : "/jobs";
  };
  const ask = async () => {
    asking?.abort();
    const mine = asking = new AbortController();
    const wanted = address();
    try {
      const answer = await fetch(wanted, { signal: mine.signal });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const found = page.getElementById("job-list");
      if (!found || mine.signal.aborted) return;
      history.replaceState(null, "", wanted);
      list().replaceChildren(...found.childNodes);
    } catch { /* asked anew meanwhile, or the service is away: what is on the page stays narrowed */ }
  };
  field.addEventListener("input", () => {
    narrow();
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  });
  form.addEventListener("change", (event) => { if (event.target !== field) ask(); });
})();
