// The board on the page. Elements are used again and only their texts change: after a night there are no more than at
// the beginning, and nothing jumps.

import { fill } from "./page.js";

const OVER_MS = 10000;
const lang = document.documentElement.lang;
const unit = (name) => new Intl.NumberFormat(lang, { style: "unit", unit: name, unitDisplay: "short" });
const [SECONDS, MINUTES, HOURS] = ["second", "minute", "hour"].map(unit);

export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** As 0:14, 12:03, 75:20. */
export function span(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** How long somebody does what he does; seconds only where they matter. */
function long(ms, doing) {
  const minutes = Math.max(0, Math.floor(ms / 60000));
  if (!minutes && doing === "ringing") return SECONDS.format(Math.max(0, Math.floor(ms / 1000)));
  return minutes < 60 ? MINUTES.format(minutes) : HOURS.format(Math.floor(minutes / 60));
}

/** So many children of this template. */
function grow(list, template, count) {
  while (list.children.length > count) list.lastElementChild.remove();
  while (list.children.length < count) list.append(template.content.firstElementChild.cloneNode(true));
  return [...list.children];
}

/** Whole percents, never rounded up to a target that is not met. */
const percent = (share) => (share.percent === null ? "–" : `${Math.floor(share.percent)} %`);

export class WallView {
  constructor(wall) {
    this.wall = wall;
    this.words = wall.dataset;
    this.doing = JSON.parse(wall.dataset.doing);
    this.board = null;
  }

  find(name, within = this.wall) {
    return within.querySelector(`[data-${name}]`);
  }

  figure(name, value, under) {
    const place = this.wall.querySelector(`[data-figure="${name}"]`);
    put(this.find("value", place), value);
    const [short, long] = name === "longest" ? [0, 5] : [2, 3];
    place.dataset.long = value.length > long ? "yes" : value.length <= short ? "no" : "";
    if (under !== undefined) put(this.find("under", place), under);
    return place;
  }

  /** What changes only when the server says so. */
  render(board) {
    this.board = board;
    const { sla } = board;
    this.figure("waiting", String(board.waiting));
    this.figure("not_called_back", board.not_called_back >= 1000 ? "999+" : String(board.not_called_back));
    const inTime = board.several_limits ? this.words.inTimeOfQueue : this.words.inTime;
    const counted = sla.answered ? fill(inTime, { ...sla, n: board.within_seconds }) : this.words.nothing;
    const place = this.figure("sla", percent(sla), `${fill(this.words.target, { n: board.target_percent })} · ${counted}`);
    place.dataset.met = sla.met === null ? "" : sla.met ? "yes" : "no";
    this.find("arc", place).setAttribute("stroke-dasharray", `${sla.percent ?? 0} 200`);
    this.find("target-mark", place).setAttribute("transform", `rotate(${board.target_percent * 1.8} 60 60)`);
    this.renderAgents(board.agents);
    this.renderQueues(board.queues);
    this.renderCalls(board.calls);
    this.rest("more-agents", board.more_agents);
    this.rest("more-queues", board.more_queues);
    const note = this.find("note");
    note.hidden = !board.figures_late;
    put(note, board.figures_late ? this.words.late : "");
  }

  rest(name, count) {
    const place = this.find(name);
    place.hidden = !count;
    put(place, count ? fill(this.words.more, { n: count }) : "");
  }

  renderAgents(agents) {
    this.wall.dataset.many = agents.length <= 8 ? "few" : agents.length <= 18 ? "some" : "many";
    this.agents = grow(this.find("agents"), this.find("agent"), agents.length);
    for (const [at, tile] of this.agents.entries()) {
      tile.dataset.doing = agents[at].doing;
      put(this.find("name", tile), agents[at].name);
      put(this.find("word", tile), this.doing[agents[at].doing] ?? agents[at].doing);
    }
  }

  renderQueues(queues) {
    this.queues = grow(this.find("queues"), this.find("queue"), queues.length);
    for (const [at, row] of this.queues.entries()) {
      const queue = queues[at];
      row.dataset.met = queue.met === false ? "no" : "";
      row.dataset.waits = queue.waiting ? "yes" : "";
      put(this.find("name", row), queue.name ?? this.words.noQueue);
      put(this.find("waiting", row), String(queue.waiting));
      put(this.find("percent", row), percent(queue));
      put(this.find("missed", row), String(queue.missed));
    }
  }

  renderCalls(calls) {
    this.calls = grow(this.find("calls"), this.find("call"), calls.length);
    for (const [at, row] of this.calls.entries()) put(this.find("name", row), calls[at].queue ?? this.words.noQueue);
  }

  /** What grows with time; `now` is the server's. */
  tick(now) {
    const { board } = this;
    const oldest = board.calls[0];
    this.figure("longest", oldest ? span(now - oldest.since) : "–", oldest ? (oldest.queue ?? this.words.noQueue) : this.words.nobody);
    const ages = [[this.queues, board.queues], [this.calls, board.calls]];
    for (const [rows, facts] of ages) {
      for (const [at, { since }] of facts.entries()) put(this.find("age", rows[at]), since === null ? "–" : span(now - since));
    }
    for (const [at, { since, doing }] of board.agents.entries()) {
      put(this.find("age", this.agents[at]), since === null ? "" : long(now - since, doing));
    }
    this.alarm(this.alarms(now, oldest), now);
  }

  alarms(now, oldest) {
    const { board, words } = this;
    const [calls, seconds] = [board.waiting_alarm, board.wait_alarm_seconds];
    return [
      !board.connected && words.alarmPbx,
      calls !== null && board.waiting >= calls && fill(words.alarmWaiting, { n: board.waiting }),
      seconds !== null && oldest && now - oldest.since >= seconds * 1000 && fill(words.alarmWait, { time: span(seconds * 1000) }),
    ].filter(Boolean);
  }

  /** The whole border; in words too, told when they change, and for a while that it is over. */
  alarm(reasons, now) {
    if (reasons.length) this.alarmedAt = now;
    this.wall.dataset.alarm = reasons.length ? "on" : "";
    const isJustOver = this.alarmedAt !== undefined && now - this.alarmedAt < OVER_MS;
    put(this.find("alarm"), reasons.join(" · ") || (isJustOver ? this.words.over : ""));
  }
}
