// Keeps the page as the agent is, and carries out its buttons. What is drawn comes from the agent, ready and escaped.
"use strict";

const SECRET = "hookswitch-page";

// The page's secret came in the fragment of the first address; storage of this origin is not shared with other ports.
const given = /^#([0-9a-f]{32})$/.exec(location.hash);
if (given) {
  localStorage.setItem(SECRET, given[1]);
  history.replaceState(null, "", location.pathname);
}

const offline = document.getElementById("offline");
const answer = document.getElementById("answer");

// Makes `old` like `wanted`, keeping every element that stays the same: focus, selection and a progress bar live on.
function morph(old, wanted) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== wanted.data) old.data = wanted.data;
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) return;
  for (const { name } of [...old.attributes]) {
    // What the person has unfolded stays so.
    if (name === "open" && old.nodeName === "DETAILS") continue;
    if (!wanted.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of wanted.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  morphChildren(old, wanted);
}

function morphChildren(old, wanted) {
  let at = old.firstChild;
  for (const child of [...wanted.childNodes]) {
    let match = at;
    if (child.id) match = [...old.children].find((c) => c.id === child.id);
    else if (at && at.id) match = null;
    if (!match || match.nodeName !== child.nodeName) {
      old.insertBefore(document.importNode(child, true), at);
      continue;
    }
    if (match === at) at = at.nextSibling;
    else old.insertBefore(match, at);
    morph(match, child);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function age(moment) {
  const minutes = Math.max(0, Math.round((Date.now() - moment) / 60000));
  const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });
  if (minutes < 60) return words.format(-minutes, "minute");
  if (minutes < 2880) return words.format(-Math.floor(minutes / 60), "hour");
  return words.format(-Math.floor(minutes / 1440), "day");
}

function showTimes() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    const format = { dateStyle: "medium", timeStyle: "short" };
    if (Number.isNaN(moment.getTime())) continue;
    time.textContent = moment.toLocaleString(document.documentElement.lang, format);
    if ("age" in time.dataset) time.textContent += ` (${age(moment)})`;
  }
}

function draw(region, html) {
  const place = document.querySelector(`[data-region="${CSS.escape(region)}"]`);
  if (!place) return;
  const focused = place.contains(document.activeElement) ? document.activeElement : null;
  const around = focused && focused.closest("article, section");
  const heading = around && around.getAttribute("aria-labelledby");
  const parsed = new DOMParser().parseFromString(html, "text/html").body;
  morphChildren(place, parsed);
  showTimes();
  // A button that went leaves the focus with its card.
  if (focused && !focused.isConnected) {
    (document.getElementById(heading) || document.getElementById("title")).focus();
  }
}

// Without the agent nobody knows what is true now: what was is drawn pale, and its buttons would do nothing.
function connected(yes) {
  offline.hidden = yes;
  document.body.classList.toggle("offline", !yes);
}

function say(problem) {
  answer.replaceChildren();
  answer.hidden = false;
  for (const [tag, text] of [["strong", problem.what], ["span", problem.next]]) {
    const line = document.createElement("p");
    const part = document.createElement(tag);
    part.textContent = text;
    line.append(part);
    answer.append(line);
  }
}

async function act(button) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  answer.hidden = true;
  const { of, id, action } = button.dataset;
  const path = of === undefined ? `/${action}` : `/${of}/${encodeURIComponent(id)}/${action}`;
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Hookswitch-Page": localStorage.getItem(SECRET) || "" },
      body: "{}",
    });
    if (!response.ok) say(await response.json());
  } catch {
    connected(false);
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-action]");
  if (button) act(button);
});

const live = new EventSource(`/live?page=${document.body.dataset.page}`);
live.addEventListener("open", () => connected(true));
live.addEventListener("error", () => connected(false));
live.addEventListener("region", (event) => {
  const { name, html } = JSON.parse(event.data);
  draw(name, html);
});

showTimes();
