// Keeps the page up to date, and says so when it cannot. The agent sends a beat each second.
"use strict";
const SILENT_MS = 4000;
const POLL_MS = 1500;
let beatAt = clocks();
let lastTitle = document.title;
let lastText = document.getElementById("clock").textContent;
let bootId = null;
let told = new Set();

// One clock stands still while the laptop sleeps; the other one can be set back by a person.
function clocks() { return [performance.now(), Date.now()]; }

function takeBoot(boot) {
  if (bootId !== null && bootId !== boot) location.reload();  // the agent was updated or started again
  bootId = boot;
}

function take(pieces) {
  beatAt = clocks();
  for (const [name, content] of Object.entries(pieces)) {
    if (name === "title") { lastTitle = content; continue; }
    const place = document.getElementById(name);
    if (name === "clock") { place.textContent = content; lastText = content; continue; }
    const focused = document.activeElement ? document.activeElement.id : "";
    place.innerHTML = content;  // made by the agent's templates, which escape every text
    if (focused && document.activeElement.id !== focused) {
      const again = document.getElementById(focused);
      if (again) again.focus();
    }
    if (name === "alarms") announce();
  }
  live();
}

// A screen reader hears each alarm once, when it comes or rises.
function announce() {
  const alarms = [...document.querySelectorAll("[data-alarm]")];
  const fresh = alarms.filter((one) => !told.has(one.dataset.alarm));
  told = new Set(alarms.map((one) => one.dataset.alarm));
  const texts = fresh.map((one) => one.querySelector(".what").textContent);
  if (texts.length) document.getElementById("announce").textContent = texts.join(" ");
}

function live() {
  const isLive = clocks().every((now, which) => now - beatAt[which] < SILENT_MS);
  const banner = document.getElementById("not-live");
  document.body.classList.toggle("grey", !isLive);
  if (!isLive && banner.hidden) {
    banner.textContent = "Not live since " + lastText + ". What is shown is old. Look at the patient and at the wearable; on this laptop: cytowatch status";
  }
  document.title = isLive ? lastTitle : "NOT LIVE – CytoWatch";
  banner.hidden = isLive;
}

function listen() {
  const source = new EventSource("/live");
  source.addEventListener("boot", (event) => takeBoot(JSON.parse(event.data)));
  source.addEventListener("beat", (event) => take(JSON.parse(event.data)));
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 1000);
  });
}

async function poll() {
  try {
    const answer = await fetch("/live.json");
    if (answer.ok) { const found = await answer.json(); takeBoot(found.boot); take(found.pieces); }
  } catch { /* the banner says that nothing comes */ }
  setTimeout(poll, POLL_MS);
}

announce();
if (window.EventSource) listen(); else poll();
setInterval(live, 500);

// Full screen keeps the screen on where the browser can.
const full = document.getElementById("full-screen");
full.hidden = !document.fullscreenEnabled;
async function awake() {
  try { if ("wakeLock" in navigator) await navigator.wakeLock.request("screen"); } catch { /* the system refuses */ }
}
full.addEventListener("click", async () => {
  await document.documentElement.requestFullscreen();
  await awake();
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && document.fullscreenElement) awake();
});
