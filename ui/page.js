// The page around Gradio's thread: language, theme, marks, the panel of sources, the hover card, the keyboard.
// All text arrives as HTML that ui/render.py has escaped.
(() => {
  "use strict";
  const root = document.documentElement;
  const $ = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const remembered = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
  const remember = (name, value) => { try { localStorage.setItem(name, value); } catch { /* private window */ } };
  const sheet = matchMedia("(max-width: 999px)");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const preferred = navigator.languages.find((x) => /^(en|es)\b/i.test(x)) || "en";

  let panel, card, spoken;
  let chosen; // the language of the interface; Gradio sets the page's to the browser's
  let open = null; // the citation in the reader: {href, opener, answer}
  let listed = ""; // the id of the answer whose sources the panel lists
  let returning = false; // whether focus goes back to a mark by itself
  let touched = false; // whether a mark was opened since the last question
  const fetched = new Map();

  speak(remembered("bpo-language") || preferred.slice(0, 2).toLowerCase());
  tint(remembered("bpo-theme") || "");
  document.addEventListener("DOMContentLoaded", start);
  window.bpo = { $, all, word: (name) => word(name), announce, tell, ask, type, expect, close: () => panel.hidden || closePanel() };

  function start() {
    const frame = $("#frame");
    document.body.prepend(frame.content.cloneNode(true));
    [panel, card, spoken] = [$("#panel"), $("#card"), $("#spoken")];
    document.body.append($("#filters"), panel, card, $("#feedback"), spoken);
    speak(chosen);
    new MutationObserver(changed).observe($("gradio-app"), { childList: true, subtree: true });
    new MutationObserver(() => root.lang === chosen || speak(chosen)).observe(root, { attributeFilter: ["lang"] });
    document.addEventListener("click", clicked, true);
    document.addEventListener("keydown", pressed);
    document.addEventListener("pointerover", over);
    document.addEventListener("pointerout", (event) => event.target.closest?.("a.cite, #card") && leave());
    document.addEventListener("scroll", (event) => card.hidden || event.target === card || $("a.cite:focus-visible") || hideCard(), true);
    document.addEventListener("focusin", (event) => {
      if (!returning && event.target.matches("a.cite:focus-visible")) over(event);
      else hideCard();
    });
    addEventListener("popstate", () => sheet.matches && closePanel());
    drag();
  }

  // --- language and theme ---

  function speak(language) {
    chosen = root.lang = language === "es" ? "es" : "en";
    all("button.speak").forEach((b) => b.setAttribute("aria-pressed", b.value === chosen));
    const box = $("#composer textarea"), frame = $("#frame");
    if (!box || !frame) return;
    box.placeholder = box.ariaLabel = word("placeholder");
    $("#composer .submit-button").ariaLabel = word("ask");
  }

  const word = (name) => $("#frame").getAttribute(`data-${name}-${chosen}`);

  function tint(theme) {
    if (theme) root.dataset.theme = theme;
  }

  // --- the thread ---

  const seen = new Set();
  let newest = ""; // the id of the last question
  let telling; // until a message goes out of sight

  function changed() {
    const log = $("[role=log]");
    if (log && log.ariaLive !== "off") log.ariaLive = "off";
    const box = $("#composer textarea");
    if (box && box.placeholder !== word("placeholder")) speak(chosen);
    const asked = all(".asked").at(-1);
    if (asked && asked.id !== newest) {
      newest = asked.id;
      touched = false;
      hideCard();
      asked.scrollIntoView({ block: "start", behavior: still.matches ? "auto" : "smooth" });
    }
    all("[data-testid=bot][aria-label], [data-testid=user][aria-label]").forEach((m) => m.removeAttribute("aria-label"));
    const last = all(".answer.final").at(-1);
    for (const answer of all(".answer.final[id]")) {
      const key = `${$(".kept", answer).title}:${answer.id}`;
      if (seen.has(key)) continue;
      seen.add(key);
      document.dispatchEvent(new CustomEvent("bpo:answer", { detail: answer }));
      if (answer !== last) continue;
      announce($(".spoken", last).textContent);
      if (!touched && !sheet.matches && $(".cards", last) && $("#view").hidden) showList(last);
    }
  }

  // Another conversation comes into the thread: its answers, by turn, are not new.
  function expect(name, answers) {
    closePanel();
    newest = "";
    for (const key of seen) if (key.startsWith(`${name}:`)) seen.delete(key);
    for (let turn = 1; turn <= answers; turn++) seen.add(`${name}:a-${turn}`);
  }

  function announce(text) {
    spoken.textContent = "";
    setTimeout(() => { spoken.textContent = text; }, 50);
  }

  function tell(text) {
    announce(text);
    spoken.classList.add("shown");
    clearTimeout(telling);
    telling = setTimeout(() => spoken.classList.remove("shown"), 4000);
  }

  function type(box, text) {
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(box), "value").set.call(box, text);
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function ask(question) {
    if (!$("#view").hidden) location.hash = "#chat";
    if (sheet.matches && !panel.hidden) closePanel();
    const box = $("#composer textarea"), send = $("#composer .submit-button");
    if (!box || !send) { // an article can be open before Gradio has drawn the composer
      setTimeout(ask, 100, question);
      return;
    }
    type(box, question);
    requestAnimationFrame(() => send.click());
  }

  // --- the panel ---

  const parse = (href) => {
    const [, article, start, end, check] = href.slice(href.indexOf("#")).split("/");
    return { article: decodeURIComponent(article), start, end, check };
  };

  function get(href, others, brief) {
    const { article, start, end, check } = parse(href);
    const query = new URLSearchParams({ article, start, end, check, language: chosen });
    if (brief) query.set("brief", "");
    for (const other of others) {
      const o = parse(other);
      if (o.article === article && other !== href) query.append("also", `${o.start}-${o.end}`);
    }
    return page(`./reader?${query}`);
  }

  function page(url) {
    if (!fetched.has(url)) {
      if (fetched.size > 60) fetched.delete(fetched.keys().next().value);
      fetched.set(url, fetch(url).then((r) => {
        if (!r.ok) throw new Error(r.status);
        return r.text();
      }).catch(() => { fetched.delete(url); return ""; }));
    }
    return fetched.get(url);
  }

  const hrefs = (answer) => [...new Map(all("a.cite", answer)
    .map((a) => [a.getAttribute("href"), +$(".n", a).textContent])
    .sort(([, a], [, b]) => a - b)).keys()];
  const answerOf = (element) => element.closest(".answer")
    || (panel.contains(element) ? document.getElementById(panel.dataset.answer) : null);

  async function openReader(href, opener) {
    const answer = answerOf(opener);
    const cited = answer ? hrefs(answer) : [href];
    touched = true;
    hideCard();
    open = { href, opener, answer: answer?.id || "" };
    const html = await get(href, cited, false);
    if (open?.href !== href) return;
    if (html) $(".reader", panel).innerHTML = html;
    else $(".reader", panel).replaceChildren(Object.assign(document.createElement("p"), { className: "gone", textContent: word("gone") }));
    panel.dataset.answer = open.answer;
    const at = cited.indexOf(href);
    $(".place", panel).textContent = `${at + 1} / ${cited.length}`;
    $(".what", panel).replaceChildren(...(answer ? $(".cards h2", answer).cloneNode(true).childNodes : []));
    all(".step", panel).forEach((b) => { b.disabled = cited.length < 2; });
    show("reading");
    current(href, answer);
    if (!html) return announce(word("gone"));
    const text = $(".text", panel), hit = $("mark.hit", panel);
    if (hit) text.scrollTop += hit.getBoundingClientRect().top - text.getBoundingClientRect().top - text.clientHeight / 3;
    $("h2", text).focus({ preventScroll: true });
    const hidden = opener.getBoundingClientRect().bottom + 24 - panel.getBoundingClientRect().top;
    if (sheet.matches && hidden > 0 && !panel.contains(opener)) $("[role=log]").scrollTop += hidden;
  }

  async function openArticle(article, opener) {
    open = { href: `#read/${article}`, opener, answer: "" };
    const html = await page(`./reader?article=${article}&language=${chosen}`);
    if (!html || open?.href !== `#read/${article}`) return;
    panel.dataset.answer = "";
    $(".what", panel).replaceChildren();
    $(".reader", panel).innerHTML = html;
    show("reading");
    $(".text", panel).scrollTop = 0;
    $(".text h2", panel).focus({ preventScroll: true });
  }

  function step(by) {
    const answer = open && document.getElementById(open.answer);
    if (!answer) return;
    const cited = hrefs(answer);
    const next = cited[(cited.indexOf(open.href) + by + cited.length) % cited.length];
    openReader(next, $(`a.cite[href="${CSS.escape(next)}"]`, answer));
  }

  function current(href, answer) {
    all("a.cite[aria-current]").forEach((a) => a.removeAttribute("aria-current"));
    if (href && answer) all(`a.cite[href="${CSS.escape(href)}"]`, answer).forEach((a) => { a.ariaCurrent = "true"; });
  }

  function showList(answer) {
    const cards = $(".cards", answer).cloneNode(true);
    const title = $("h2", cards);
    $(".what", panel).replaceChildren(...title.childNodes);
    title.remove();
    $(".list", panel).replaceChildren(cards);
    all("a.out", cards).forEach((a) => { a.target = "_blank"; a.rel = "noopener noreferrer"; });
    panel.dataset.answer = listed = answer.id;
    open = null;
    current();
    show("listing");
    $(".list", panel).scrollTop = 0;
  }

  function show(mode) {
    if (panel.hidden && sheet.matches) history.pushState({ sheet: true }, "");
    panel.className = mode;
    panel.hidden = false;
    document.body.classList.add("beside");
  }

  function closePanel() {
    const opener = open && again(open);
    open = null;
    panel.hidden = true;
    panel.classList.remove("tall");
    document.body.classList.remove("beside");
    current();
    comeBack(opener);
  }

  function hidePanel() {
    const pushed = sheet.matches && history.state?.sheet;
    closePanel();
    if (pushed) history.back();
  }

  function comeBack(opener) {
    returning = true;
    opener?.focus();
    returning = false;
  }

  const again = ({ href, opener, answer }) => opener.isConnected && !panel.contains(opener) ? opener
    : $(`a[href="${CSS.escape(href)}"]`, document.getElementById(answer) || document);

  function back() {
    const opener = open && again(open);
    const answer = document.getElementById(panel.dataset.answer);
    if (answer && $(".cards", answer)) showList(answer);
    else hidePanel();
    comeBack(opener);
  }

  // On a phone the panel is a sheet: its handle grows it, a swipe down closes it.
  function drag() {
    let from = null;
    const bar = $(".bar", panel);
    bar.addEventListener("touchstart", (event) => { from = event.touches[0].clientY; }, { passive: true });
    bar.addEventListener("touchend", (event) => {
      const way = event.changedTouches[0].clientY - (from ?? 0);
      if (way > 60) panel.classList.contains("tall") ? panel.classList.remove("tall") : hidePanel();
      if (way < -40) panel.classList.add("tall");
    });
  }

  // --- the hover card ---

  let soon, gone;

  function over(event) {
    const a = event.target.closest?.("a.cite");
    if (event.target.closest?.("#card") || a) clearTimeout(gone);
    if (!a || event.pointerType === "touch" || a === card.anchor && !card.hidden) return;
    clearTimeout(soon);
    const href = a.getAttribute("href"), coming = get(href, [], true);
    soon = setTimeout(async () => {
      const html = await coming;
      if (!html || !a.isConnected) return;
      card.innerHTML = html;
      card.anchor = a;
      card.hidden = false;
      const mark = a.getBoundingClientRect(), box = card.getBoundingClientRect();
      const below = mark.bottom + 8 + box.height < innerHeight;
      card.style.top = `${Math.max(8, below ? mark.bottom + 8 : mark.top - box.height - 8)}px`;
      card.style.left = `${Math.max(8, Math.min(mark.left - 24, innerWidth - box.width - 8))}px`;
      a.setAttribute("aria-describedby", "card");
    }, 150);
    if (answerOf(a)) get(href, hrefs(answerOf(a)), false); // the reader is at hand when the click comes
  }

  function leave() {
    clearTimeout(soon);
    clearTimeout(gone);
    gone = setTimeout(hideCard, 200);
  }

  function hideCard() {
    clearTimeout(soon);
    card.hidden = true;
    card.anchor?.removeAttribute("aria-describedby");
    card.anchor = null;
  }

  // --- clicks and keys ---

  function clicked(event) {
    const target = event.target.closest?.("a[href*='#cite/'], a[href^='#read/'], button, a.skip");
    if (!target) return;
    const does = {
      speak: () => { remember("bpo-language", target.value); speak(target.value); refresh(); },
      theme: () => {
        const dark = getComputedStyle(root).colorScheme === "dark";
        tint(dark ? "light" : "dark");
        remember("bpo-theme", root.dataset.theme);
      },
      ask: () => ask(target.textContent),
      show: () => { showList(target.closest(".answer")); if (event.detail === 0) $("a.open", panel).focus(); },
      handle: () => panel.classList.toggle("tall"),
      back,
      close: hidePanel,
      previous: () => step(-1),
      next: () => step(1),
      skip: () => $("#composer textarea").focus(),
    };
    const kind = /^#(cite|read)\//.exec(target.hash || "")?.[1];
    const name = kind || Object.keys(does).find((k) => target.classList.contains(k));
    if (!name) return;
    event.preventDefault();
    if (name === "cite") openReader(target.getAttribute("href"), target);
    else if (name === "read") openArticle(target.hash.slice(6), target);
    else does[name]();
  }

  function refresh() {
    document.dispatchEvent(new CustomEvent("bpo:language"));
    if (open?.href.startsWith("#read/")) openArticle(open.href.slice(6), open.opener);
    else if (open) openReader(open.href, open.opener);
  }

  function pressed(event) {
    if ($("#feedback").open) return;
    if (event.key === "Escape") {
      if (!card.hidden) return hideCard();
      if (open) return sheet.matches ? hidePanel() : back();
      if (!panel.hidden) return hidePanel();
    }
    if (event.target.matches("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") { event.preventDefault(); $("#composer textarea")?.focus(); }
    if (open && event.key === "]") step(1);
    if (open && event.key === "[") step(-1);
  }
})();
