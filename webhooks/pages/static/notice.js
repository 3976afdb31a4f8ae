// The icon of a run's page by its state, and a notification at the end for who asks for one.
"use strict";
(() => {
  const head = document.getElementById("head"), button = document.getElementById("notice");
  const icon = document.querySelector('link[rel="icon"]');
  const key = `notice:${location.pathname}`;
  const asked = () => sessionStorage.getItem(key) === "yes";
  const show = () => button?.setAttribute("aria-pressed", String(asked()));

  if (button && !("Notification" in window)) button.parentElement.remove(); // only secure pages may notify
  else if (button) {
    show();
    button.addEventListener("click", async () => {
      if (asked()) sessionStorage.removeItem(key);
      else if (await Notification.requestPermission() === "granted") sessionStorage.setItem(key, "yes");
      else { button.textContent = "Your browser does not allow notifications here"; button.disabled = true; }
      show();
    });
  }

  let ended = document.getElementById("standing")?.dataset.ended === "yes";
  new MutationObserver(() => {
    const standing = document.getElementById("standing");
    if (!standing) return;
    if (icon.getAttribute("href") !== standing.dataset.icon) icon.href = standing.dataset.icon;
    if (ended || standing.dataset.ended !== "yes") return;
    ended = true;
    button?.parentElement?.remove();
    if (!asked()) return;
    sessionStorage.removeItem(key);
    const told = new Notification(standing.dataset.title, { tag: location.pathname, icon: standing.dataset.icon });
    told.onclick = () => { window.focus(); told.close(); };
  }).observe(head, { childList: true });
})();
