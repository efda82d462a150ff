// The view "Evaluation": sends cases, follows the run, shows the view anew when it ends.
(() => {
  "use strict";
  const here = () => document.querySelector(".evaluation");
  const language = () => document.documentElement.lang;
  const json = { "content-type": "application/json" };
  let timer = 0;

  async function send(url, headers, body) {
    const answer = await fetch(`./evaluation/${url}`, { method: "POST", headers, body });
    if (answer.ok) return watch();
    const alert = here()?.querySelector(".eval-start [role=alert]");
    if (alert) { alert.textContent = await answer.text(); alert.hidden = false; }
  }

  async function start(form) {
    const alert = form.querySelector("[role=alert]");
    alert.hidden = true;
    const cases = form.cases.value, file = form.file.files[0];
    const query = new URLSearchParams({ cases, sample: form.sample.value, title: cases === "upload" ? file?.name || "" : cases });
    if (cases !== "upload") return send(`start?${query}`, json, "{}");
    const kind = /\.csv$/i.test(file?.name || "") ? "text/csv" : "application/x-ndjson";
    return send(`start?${query}`, { "content-type": kind }, file ? await file.arrayBuffer() : " ");
  }

  function watch() {
    clearTimeout(timer);
    timer = setTimeout(follow, 300);
  }

  async function follow() {
    if (!here()) return;
    const answer = await fetch(`./evaluation/progress?language=${language()}`).catch(() => null);
    if (!answer?.ok) return watch();
    const { state, done, total, told } = await answer.json();
    if (state !== "running") return anew();
    const box = here()?.querySelector(".eval-progress");
    if (!box) return;
    box.hidden = false;
    box.querySelector("progress").max = total || 1;
    box.querySelector("progress").value = done;
    box.querySelector(".told").textContent = told;
    watch();
  }

  async function anew() {
    const html = await (await fetch(`./view/evaluation?language=${language()}`)).text();
    const old = here();
    if (old) old.outerHTML = html;
  }

  function choose(form) {
    form.querySelector(".eval-file").hidden = form.cases.value !== "upload";
  }

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form.eval-start")) return;
    event.preventDefault();
    start(event.target);
  });
  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("form.eval-start");
    if (form) choose(form);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".eval-stop, .eval-continue");
    if (!button) return;
    if (button.matches(".eval-stop")) send("stop", json, "{}");
    else send(`continue?run=${encodeURIComponent(button.value)}`, json, "{}");
  });
  // The view may come with a run under way, or with no file of cases but the reader's own.
  new MutationObserver(() => {
    const view = here();
    if (!view || view.dataset.seen) return;
    view.dataset.seen = "";
    const form = view.querySelector("form.eval-start");
    if (form) choose(form);
    if (view.querySelector(".eval-progress:not([hidden])")) watch();
  }).observe(document, { childList: true, subtree: true });
})();
