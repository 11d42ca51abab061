"use strict";
// Mails are shown at their own height.  Their frames run no scripts: the sandbox lets this page look in, no more.
function fit(frame) {
  const mail = frame.contentDocument;
  if (mail && mail.body)
    frame.style.height = Math.max(120, mail.body.scrollHeight) + "px";
}
for (const frame of document.querySelectorAll("iframe")) {
  frame.addEventListener("load", () => fit(frame));
  fit(frame);
}
function fitAll() {
  document.querySelectorAll("iframe").forEach(fit);
}
for (const choice of document.querySelectorAll(".choice")) {
  choice.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button)
      return;
    for (const other of choice.querySelectorAll("button"))
      other.setAttribute("aria-pressed", String(other === button));
    if (choice.dataset.choice === "locale") {
      for (const mail of document.querySelectorAll(".mail"))
        mail.hidden = button.value !== "all" && mail.dataset.locale !== button.value;
    } else {
      document.body.dataset[choice.dataset.choice] = button.value;
    }
    fitAll();
  });
}
document.documentElement.dataset.ready = "yes";
