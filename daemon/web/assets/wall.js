// The wallboard: what the line brings is shown, ages and the clock go on while it is live and stand still when it is not.

import { fill } from "./page.js";
import { WallLink } from "./wall_link.js";
import { WallView, put } from "./wall_view.js";

const wall = document.getElementById("wall");
const view = new WallView(wall);
const [clock, state, full] = ["clock", "state", "full"].map((name) => wall.querySelector(`[data-${name}]`));
let formats = null;

function formatsOf(timeZone) {
  if (formats?.timeZone === timeZone) return formats;
  const time = { timeZone, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
  const format = (options) => new Intl.DateTimeFormat(document.documentElement.lang, options);
  formats = { timeZone, time: format(time), day: format({ timeZone, weekday: "long", day: "numeric", month: "long" }) };
  return formats;
}

/** After an upgrade the server speaks to pages of its own version; once for each, so that no mistake makes it blink. */
function isOutdated(version) {
  if (version === wall.dataset.version) return false;
  try {
    if (sessionStorage.getItem("wall") === version) return false;
    sessionStorage.setItem("wall", version);
    return true;
  } catch {
    return false;
  }
}

function shows(board) {
  if (isOutdated(board.version)) return location.reload();
  view.render(board);
  tick();
}

function changed() {
  wall.dataset.link = link.state;
  if (!view.board) return;
  const { time } = formatsOf(view.board.time_zone);
  const live = link.state === "live";
  put(state, fill(live ? wall.dataset.since : wall.dataset.frozen, { time: time.format(live ? link.since : link.last) }));
  tick();
}

function tick() {
  if (link.state === "frozen" || !view.board) return;
  const { time, day } = formatsOf(view.board.time_zone);
  const now = link.now();
  put(clock, `${time.format(now)} · ${day.format(now)}`);
  view.tick(now);
}

full.hidden = !document.fullscreenEnabled;
full.addEventListener("click", () => (document.fullscreenElement ? document.exitFullscreen() : wall.requestFullscreen()));

const link = new WallLink(wall.dataset.events, { shows, changed });
setInterval(tick, 1000);
