// Conversations: kept in this browser or by the server, listed, found, renamed, deleted, exported; views; feedback.
(() => {
  "use strict";
  const { $, all, word, announce, tell, ask, expect } = bpo;
  const KEY = "bpo-c-", MOST = 50, LARGEST = 900000;
  const wide = matchMedia("(min-width: 1200px)");

  let side, view, dialog, narrow;
  let current = empty(""); // the conversation in the thread; its id is "" until it is named
  let rated = null; // what the dialog of feedback is about: {answer, good, citation}
  let gone = null; // the conversation that was deleted last
  let asking = []; // questions of a link that are still to be asked

  document.addEventListener("DOMContentLoaded", () => {
    if ($("#frame[data-shared]")) shelf = server;
    [side, view, dialog, narrow] = [$("#side"), $("#view"), $("#feedback"), $("#filters")];
    document.addEventListener("bpo:answer", (event) => answered(event.detail));
    document.addEventListener("bpo:language", () => { list(); narrowTo(chosen); if (!view.hidden) route(); });
    document.addEventListener("click", clicked);
    document.addEventListener("keydown", (event) => {
      const opened = $("details:is(.menu, .narrow)[open]");
      if (event.key === "Escape" && opened) {
        opened.open = false;
        $("summary", opened).focus();
      } else if (event.key === "Escape" && !side.hidden && !wide.matches) {
        toggle(false);
        $("button.side").focus();
      }
      if ((event.ctrlKey || event.metaKey) && event.key === "k") { event.preventDefault(); begin(); }
    });
    document.addEventListener("submit", submitted);
    $(".find input", side).addEventListener("input", list);
    $(".narrow").addEventListener("toggle", choices);
    narrow.addEventListener("change", () => narrowTo(picked()));
    addEventListener("hashchange", route);
    addEventListener("storage", (event) => event.key?.startsWith(KEY) && list());
    document.addEventListener("visibilitychange", list);
    wide.addEventListener("change", () => toggle(wide.matches && remembered() !== "closed"));
    toggle(wide.matches && remembered() !== "closed");
    list();
    route();
  });

  // --- what is kept ---

  function empty(id) { return { id, title: "", at: 0, answers: [] }; }
  function fresh() { return Date.now().toString(36) + Math.random().toString(36).slice(2, 8); }
  const remembered = () => { try { return localStorage.getItem("bpo-side"); } catch { return null; } };

  const browser = {
    load(id) {
      try { return JSON.parse(localStorage.getItem(KEY + id)); } catch { return null; }
    },
    find(wanted) {
      try {
        return Object.keys(localStorage).filter((k) => k.startsWith(KEY)).map((k) => this.load(k.slice(KEY.length)))
          .filter((c) => c && Array.isArray(c.answers)).sort((a, b) => b.at - a.at)
          .filter((c) => !wanted || fold([c.title, ...c.answers.map((a) => `${a.question} ${a.text}`)].join(" ")).includes(wanted));
      } catch { return []; }
    },
    save(conversation) {
      for (let tries = 0; tries < 20; tries++) {
        try { return localStorage.setItem(KEY + conversation.id, JSON.stringify(conversation)); }
        catch {
          const oldest = this.find().filter((c) => c.id !== conversation.id).at(-1);
          if (!oldest) return; // a private window, or one conversation that fills it
          this.remove(oldest.id);
        }
      }
    },
    rename(id, title) {
      const conversation = this.load(id);
      if (conversation) this.save({ ...conversation, title });
    },
    remove(id) { localStorage.removeItem(KEY + id); },
  };

  const server = {
    load: (id) => call("GET", encodeURIComponent(id)), // from an address, it may be anything
    find: (wanted) => call("GET", `?find=${encodeURIComponent(wanted)}`),
    async save(conversation) {
      const { length } = conversation.answers, answers = conversation.answers.slice(conversation.sent);
      if (await call("PUT", conversation.id, { ...conversation, answers })) conversation.sent = length;
    },
    rename: (id, title) => call("PATCH", id, { title }),
    remove: (id) => call("DELETE", id),
  };

  let shelf = browser;
  let called = Promise.resolve();

  // One call after the other, so that what is read is what was written; null for what is not found or not done.
  function call(method, path, body) {
    return called = called.then(async () => {
      const headers = { "Content-Type": "application/json" };
      const response = await fetch(`./conversations/${path}`, { method, headers, body: JSON.stringify(body) }).catch(() => null);
      if (response?.ok) return response.json();
      if (method !== "GET") tell(word(response?.status === 413 ? "too-long" : "not-kept"));
      return null;
    }).catch(() => null);
  }

  const data = (element) => { try { return JSON.parse($(".kept", element).textContent); } catch { return null; } };

  function answered(element) {
    const name = $(".kept", element).title, answer = data(element);
    if (!answer || name && name !== current.id) return;
    if (!current.id) current.id = fresh();
    current.at = answer.at = Date.now();
    current.answers.push(answer);
    current.filter = chosen;
    current.title ||= answer.question.slice(0, 120);
    shelf.save(current);
    if (!location.hash.startsWith("#view/")) history.replaceState(history.state, "", `#c/${current.id}`);
    list();
    offer();
    next();
  }

  // --- opening, beginning, asking again ---

  async function send(conversation) {
    const box = await there("#memory input");
    box.type = "text"; // of the field types that Gradio tells apart from the composer, a password is one
    let answers = conversation.answers.slice(-MOST);
    let text = JSON.stringify(answers);
    while (text.length > LARGEST) text = JSON.stringify(answers = answers.slice(1));
    expect(conversation.id, answers.length);
    narrowTo(conversation.filter ||= {});
    offer();
    // A page that has only just been laid out may not listen yet.
    for (let tries = 0; tries < 30 && current === conversation; tries++) {
      bpo.type(box, `${conversation.id} ${text}${" ".repeat(tries % 2)}`);
      await new Promise((done) => setTimeout(done, 2000));
      if (!answers.length || all(".kept").some((k) => k.title === conversation.id)) return;
    }
  }

  function there(selector) {
    return new Promise((found) => {
      const look = () => ($(selector) ? found($(selector)) : setTimeout(look, 50));
      look();
    });
  }

  async function open(id) {
    const conversation = await shelf.load(id);
    if (location.hash !== `#c/${id}`) return;
    if (!conversation) {
      tell(word("nothing-found"));
      return begin();
    }
    current = conversation;
    send(current);
    list();
  }

  function begin() {
    if (!wide.matches) toggle(false);
    if (current.answers.length || $(".asked")) {
      current = empty(fresh());
      send(current);
    }
    history.replaceState(null, "", "#chat");
    hideView();
    list();
    there("#composer textarea").then((box) => box.focus());
  }

  function next() {
    const question = asking.shift();
    if (question) ask(question);
  }

  function link() {
    const query = current.answers.map((a) => encodeURIComponent(a.question)).join("/");
    return `${location.origin}${location.pathname}#ask/${query}`;
  }

  function route() {
    const [, kind, rest] = /^#(\w+)\/?(.*)$/.exec(location.hash) || [];
    if (kind === "view") return showView(rest);
    hideView();
    if (kind === "ask") {
      asking = rest.split("/").filter(Boolean).slice(0, 10).map(decodeURIComponent);
      begin();
      there(".welcome .ask, .failure").then(next);
    } else if (kind === "c" && rest !== current.id) open(rest);
    else if (current.id && current.answers.length) history.replaceState(history.state, "", `#c/${current.id}`);
  }

  // --- filters ---

  let chosen = {}; // what the next answers may rest on

  async function choices() {
    const box = $(".choices", narrow), language = document.documentElement.lang;
    if (box.lang === language) return;
    const [response] = await Promise.all([fetch(`./filters?language=${language}`).catch(() => null), more()]);
    if (!response?.ok) return;
    box.innerHTML = await response.text();
    box.lang = language;
    narrowTo(chosen);
  }

  function picked() {
    const form = new FormData(narrow), kinds = form.getAll("kinds");
    form.delete("kinds");
    return Object.fromEntries([...form, ["kinds", kinds]].filter(([, value]) => value.length));
  }

  async function narrowTo(filter) {
    const some = Object.keys(filter).length > 0, fields = [...narrow.elements].filter((f) => f.name);
    if (current.answers.length && filter !== current.filter) shelf.save(Object.assign(current, { filter }));
    chosen = filter;
    $(".unfilter", narrow).hidden = !some;
    const told = fields.map((field) => {
      const given = filter[field.name] || "";
      if (field.type === "checkbox") return (field.checked = given.includes(field.value)) && field.nextSibling.data;
      field.value = given;
      return given && (field.type === "date" ? `${field.previousSibling.data} ${new Date(`${given}T12:00`).toLocaleDateString(document.documentElement.lang)}` : field.selectedOptions[0]?.text);
    });
    $(".chosen", narrow).textContent = told.filter(Boolean).join(" · ");
    if (some) choices();
    const box = await there("#narrow input");
    box.type = "text";
    bpo.type(box, some ? JSON.stringify(filter) : "");
  }

  // --- views ---

  async function showView(address) {
    const [name, query] = address.split("?");
    const parameters = new URLSearchParams(query);
    parameters.set("language", document.documentElement.lang);
    if (!wide.matches) toggle(false);
    bpo.close();
    document.body.dataset.view = name;
    view.hidden = false;
    marked();
    const again = view.dataset.name === name, here = () => location.hash === `#view/${address}`;
    view.dataset.name = name;
    const response = await fetch(`./view/${encodeURIComponent(name)}?${parameters}`).catch(() => null);
    await Promise.all([more(), name === "evaluation" && need("script", { src: "./evaluation.js" })]);
    if (!here()) return;
    if (response?.status === 503) return setTimeout(route, 500);
    view.innerHTML = response?.ok ? await response.text() : `<p class="failure">${word("not-shown")}</p>`;
    view.scrollTop = 0;
    const first = again && $(".tabs [aria-current], .search input", view) || $("h2", view);
    first?.focus({ preventScroll: true });
  }

  const loaded = {};
  function need(tag, from) {
    return loaded[tag] ||= new Promise((done) => {
      document.head.append(Object.assign(make(tag), from, { onload: done, onerror: done }));
    });
  }
  const more = () => need("link", { rel: "stylesheet", href: "./more.css" });

  function hideView() {
    if (!view.hidden) bpo.close();
    view.hidden = true;
    delete document.body.dataset.view;
    marked();
  }

  function marked() {
    const here = document.body.dataset.view;
    all("a.view").forEach((a) => {
      const is = here ? a.getAttribute("href") === `#view/${here}` : a.getAttribute("href") === "#chat";
      is ? a.setAttribute("aria-current", "page") : a.removeAttribute("aria-current");
    });
    list();
  }

  // --- the list ---

  const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

  async function list() {
    offer();
    const box = $(".find input", side), wanted = fold(box.value.trim());
    const language = document.documentElement.lang;
    box.placeholder = word("search-conversations");
    const found = await shelf.find(wanted);
    if (!found || $(".kept-list input", side)) return;
    const parts = [];
    let before = "", items;
    for (const conversation of found) {
      const day = dayOf(conversation.at, language);
      if (day !== before) {
        parts.push(make("h2", day), items = make("ul"));
        before = day;
      }
      items.append(entry(conversation));
    }
    if (!found.length) parts.push(make("p", word(wanted ? "nothing-found" : "no-conversations")));
    if (gone) {
      const row = make("p", `${word("deleted")} `);
      row.append(Object.assign(make("button", word("undo")), { type: "button", className: "undo" }));
      parts.unshift(row);
    }
    $(".kept-list", side).replaceChildren(...parts);
  }

  function make(tag, text = "") {
    return Object.assign(document.createElement(tag), { textContent: text });
  }

  function dayOf(at, language) {
    const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 864e5);
    if (days < 2) return word(days < 1 ? "today" : "yesterday");
    return new Intl.DateTimeFormat(language === "es" ? "es-MX" : "en-US", { dateStyle: "long" }).format(at);
  }

  function entry(conversation) {
    const row = $("#entry").content.firstElementChild.cloneNode(true);
    const link = $("a", row);
    row.dataset.id = conversation.id;
    link.href = `#c/${conversation.id}`;
    link.textContent = link.title = conversation.title;
    if (conversation.id === current.id && view.hidden) link.setAttribute("aria-current", "page");
    for (const name of ["rename", "delete"]) $(`.${name}`, row).ariaLabel = `${word(name)}: ${conversation.title}`;
    return row;
  }

  function rename(row) {
    const { id } = row.dataset, link = $("a", row);
    const box = Object.assign(make("input"), { value: link.textContent, maxLength: 120, ariaLabel: word("rename") });
    link.replaceWith(box);
    box.select();
    const end = async (keep) => {
      const title = box.value.trim();
      box.onblur = null;
      box.replaceWith(link);
      if (keep && title) {
        shelf.rename(id, title);
        if (id === current.id) current.title = title;
      }
      await list();
      if (document.activeElement === document.body) $(`[data-id="${id}"] .rename`, side)?.focus();
    };
    box.onblur = () => end(true);
    box.onkeydown = (event) => {
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.stopPropagation();
      end(event.key === "Enter");
    };
  }

  async function remove(id) {
    const conversation = await shelf.load(id);
    if (!conversation || await shelf.remove(id) === null) return list();
    gone = conversation;
    delete gone.sent; // to be brought back, all of it is sent
    if (id === current.id) begin();
    await list();
    tell(word("deleted"));
    $(".undo", side)?.focus();
  }

  function toggle(shown) {
    side.hidden = !shown;
    document.body.classList.toggle("listed", shown);
    $("button.side").setAttribute("aria-expanded", shown);
  }

  // --- export, copying, feedback ---

  function offer() {
    const menu = $("details.menu");
    menu.hidden = !current.answers.length;
    if (menu.hidden) menu.open = false;
  }

  async function download(form) {
    const answers = JSON.stringify(current.answers.slice(-MOST));
    const response = await fetch(`./export/${form}?language=${document.documentElement.lang}`, { method: "POST", body: answers });
    if (!response.ok) return tell(word("feedback-failed"));
    const url = URL.createObjectURL(await response.blob());
    const name = fold(current.title).replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 60) || "bpo";
    Object.assign(make("a"), { href: url, download: `${name}.${form}` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  async function copy(text) {
    try { await navigator.clipboard.writeText(text); }
    catch { // no clipboard without https
      const box = Object.assign(make("textarea"), { value: text });
      document.body.append(box);
      box.select();
      document.execCommand("copy");
      box.remove();
    }
    tell(word("copied"));
  }

  function withSources(answer) {
    const cited = answer.citations.map((c) => `[${c.n}] ${c.sources.map((s) => [s.publisher, s.title, s.issued, s.url].filter(Boolean).join(", ")).join("; ") || c.title}`);
    return [answer.question, "", answer.text, "", ...cited].join("\n");
  }

  async function rate(element, good, citation = null) {
    const answer = element && data(element);
    if (!answer) return;
    rated = { answer, good, citation, history: before(element) };
    $("form", dialog).reset();
    $("#feedback-title").textContent = word(citation ? "feedback-cite" : good ? "feedback-good" : "feedback");
    const quote = $("blockquote", dialog);
    quote.textContent = citation ? answer.citations[citation - 1]?.quote ?? answer.closest[citation - 1]?.quote ?? "" : answer.question;
    $("fieldset", dialog).hidden = $(".expected", dialog).hidden = good;
    if (citation) $("[value=link]", dialog).checked = true;
    await more();
    dialog.showModal();
  }

  function before(element) {
    const messages = [];
    for (const earlier of all(".answer.final .kept").map((k) => k.parentElement)) {
      if (earlier === element) break;
      const answer = data(earlier);
      if (answer) messages.push({ role: "user", content: answer.question }, { role: "assistant", content: answer.text });
    }
    return messages;
  }

  async function submitted(event) {
    if (event.target.matches(".view-form")) {
      event.preventDefault();
      const query = new URLSearchParams([...new FormData(event.target)].filter(([, value]) => value));
      location.hash = `#view/${view.dataset.name}?${query}`;
    } else if (event.target.closest("#feedback") && event.submitter?.value === "send") {
      const form = new FormData(event.target);
      const body = JSON.stringify({
        ...rated, reason: form.get("reason") || "", note: form.get("note"), expected: form.get("expected"),
        case: form.get("case") === "on",
      });
      const headers = { "Content-Type": "application/json" };
      const response = await fetch("./feedback", { method: "POST", headers, body }).catch(() => null);
      tell(word(response?.ok ? "feedback-sent" : "feedback-failed"));
    }
  }

  function clicked(event) {
    const target = event.target.closest?.("button, a");
    const menu = $("details.menu");
    if (menu.open && !event.target.closest("details.menu summary")) menu.open = false;
    if (!event.target.closest("#filters")) $(".narrow").open = false;
    if (!target) return;
    const answer = target.closest(".answer"), row = target.closest("[data-id]");
    const does = {
      side: () => {
        toggle(side.hidden);
        if (wide.matches) try { localStorage.setItem("bpo-side", side.hidden ? "closed" : "open"); } catch { /* private window */ }
        else if (!side.hidden) $("a", side).focus();
      },
      new: begin,
      rename: () => rename(row),
      delete: () => remove(row.dataset.id),
      undo: () => { shelf.save(gone); gone = null; list(); },
      export: () => download(target.value),
      link: () => copy(link()),
      copy: () => copy(withSources(data(answer))),
      good: () => rate(answer, true),
      bad: () => rate(answer, false),
      doubt: () => {
        const shown = document.getElementById($("#panel").dataset.answer);
        const [at] = $("#panel .place").textContent.split(" / ");
        rate(shown, false, +at);
      },
      halt: () => $("#halt").click(),
      unfilter: () => { narrowTo({}); $(".narrow summary").focus(); },
      unfiltered: () => { narrowTo({}); ask(data(answer).question); },
    };
    const name = Object.keys(does).find((k) => target.classList.contains(k));
    if (name === "new") event.preventDefault();
    if (name) return does[name]();
    if (target.hash?.startsWith("#c/") && !wide.matches) toggle(false);
    if (target.hash?.startsWith("#c/") && target.hash === location.hash) hideView();
  }
})();
