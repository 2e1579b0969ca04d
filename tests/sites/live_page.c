/*
 * live_page.c - the page that draws the live picture
 *
 * Everything is in it: it asks for nothing but /live/events. See live.c for
 * what comes from there.
 */
#include "sites/serving.h"

#include <stdio.h>

static const char *const lines[] = {
    "<!DOCTYPE html>",
    "<html lang='en'>",
    "<meta charset='utf-8'>",
    "<link rel='icon' href='data:,'>",
    "<title>Requests, live</title>",
    "<style>",
    "body{font:22px/1.3 sans-serif;margin:12px 20px;color:#000;"
    "background:#fff}",
    "h1{font-size:30px;margin:0}",
    "#sums{display:flex;gap:40px;align-items:baseline;margin:6px 0}",
    "#sums b{font-size:44px}",
    "button{font:inherit;padding:4px 20px}",
    "#bars,#graph{position:relative;border:1px solid #000;overflow:hidden;"
    "background:#fff}",
    "#bars{height:42vh}#graph{height:20vh;margin-top:6px}",
    "#graph svg{position:absolute;width:100%;height:100%}",
    "#graph path{fill:#14532d}",
    "#graph span{position:absolute;left:6px;top:2px}",
    ".bar{position:absolute;box-sizing:border-box;border:1px solid #000;",
    "background:#dbeafe radial-gradient(#1e3a8a 1.6px,transparent 2px) "
    "0 0/9px 9px;",
    "font-size:16px;white-space:nowrap;overflow:hidden;text-indent:3px}",
    ".bar span{background:#dbeafe;padding:0 3px}",
    ".bar.over{border-right:5px solid #14532d}",
    "#many{position:absolute;left:20px;top:20px;font-size:30px;"
    "background:#fff}",
    "#axis{display:flex;justify-content:space-between;font-size:18px}",
    ".key{display:inline-block;width:34px;height:18px;position:static;"
    "vertical-align:middle}",
    "p{margin:6px 0;font-size:18px}",
    "@media print{button{display:none}}",
    "</style>",
    "<h1>Requests at the practice sites</h1>",
    "<div id='sums'><span><b id='now'>0</b> in flight</span>",
    "<span><b id='most'>0</b> most in flight</span>",
    "<span><b id='all'>0</b> requests</span>",
    "<button id='clear'>Clear</button><span id='state'>connecting ...</span>"
    "</div>",
    "<div id='bars'><div id='many' hidden></div></div>",
    "<div id='graph'><svg preserveAspectRatio='none' viewBox='0 0 10000 100'>"
    "<path id='steps'/></svg><span>in flight, 0 to <i id='top'>1</i></span>"
    "</div>",
    "<div id='axis'><span>10 s ago</span><span>8</span><span>6</span>"
    "<span>4</span><span>2</span><span>now</span></div>",
    "<p><span class='bar key'></span> in flight: its client waits &nbsp; "
    "<span class='bar over key'></span> answered. A row is a connection; "
    "time goes to the right.</p>",
    "<script>",
    "'use strict';",
    "const SPAN = 10000, MOST_BARS = 200, MOST_DRAWN = 1000;",
    "const $ = id => document.getElementById(id);",
    "let bars = new Map(), samples = [], rows = [], base = 0;",
    /* What the page has drawn and been told, for whoever tests it. */
    "const told = {began: 0, ended: 0, untold: 0, most: 0, messages: 0};",
    "window.told = told;",
    /* A row for a connection: its own, one that nobody used lately, or new. */
    "function rowOf(connection, now) {",
    "  let free = -1;",
    "  for (let i = 0; i < rows.length; i++) {",
    "    if (rows[i].connection === connection) return i;",
    "    if (free < 0 && rows[i].last < now - SPAN && !rows[i].open) free = i;",
    "  }",
    "  if (free < 0) free = rows.push({}) - 1;",
    "  rows[free] = {connection, last: now, open: 0};",
    "  return free;",
    "}",
    "function begin(id, connection, at, path) {",
    "  const element = document.createElement('div');",
    "  const label = document.createElement('span');",
    "  const row = rowOf(connection, at);",
    "  element.className = 'bar';",
    "  element.title = label.textContent = path;",
    "  element.append(label);",
    "  rows[row].open++;",
    "  bars.set(id, {row, at, end: null, element});",
    "  $('bars').append(element);",
    "  told.began++;",
    "}",
    "function end(id, at) {",
    "  const bar = bars.get(id);",
    "  if (!bar || bar.end !== null) return;",
    "  bar.end = at;",
    "  bar.element.classList.add('over');",
    "  rows[bar.row].open--;",
    "  rows[bar.row].last = at;",
    "  told.ended++;",
    "}",
    "function forget(id) {",
    "  const bar = bars.get(id);",
    "  if (bar.end === null && rows[bar.row]) rows[bar.row].open--;",
    "  bar.element.remove();",
    "  bars.delete(id);",
    "}",
    "function clear() {",
    "  for (const id of [...bars.keys()]) forget(id);",
    "  rows = []; samples = []; told.most = 0;",
    "  $('most').textContent = '0';",
    "}",
    "function drawBars(now) {",
    "  for (const [id, bar] of bars)",
    "    if (bars.size > MOST_DRAWN || bar.end !== null && "
    "bar.end < now - SPAN) forget(id);",
    "  while (rows.length && !rows[rows.length - 1].open &&",
    "      rows[rows.length - 1].last < now - SPAN) rows.pop();",
    "  const box = $('bars'), width = box.clientWidth;",
    "  const height = Math.min(32, box.clientHeight / (rows.length || 1));",
    "  const x = t => (t - now + SPAN) / SPAN * width;",
    "  for (const bar of bars.values()) {",
    "    const style = bar.element.style;",
    "    style.left = x(bar.at) + 'px';",
    "    style.width = Math.max(2, x(bar.end ?? now) - x(bar.at)) + 'px';",
    "    style.top = bar.row * height + 'px';",
    "    style.height = Math.max(2, height - 2) + 'px';",
    "    style.lineHeight = height - 4 + 'px';",
    "    bar.element.firstChild.hidden = height < 18 || "
    "bar.element.clientWidth < 60;",
    "  }",
    "}",
    "function drawGraph(now) {",
    "  while (samples.length > 1 && samples[1][0] < now - SPAN) "
    "samples.shift();",
    "  const top = Math.max(1, ...samples.map(s => s[2]));",
    "  let path = 'M0 100';",
    "  for (const [at, count, peak] of samples) {",
    "    const x = Math.max(0, at - now + SPAN).toFixed(0);",
    "    path += 'H' + x + 'V' + (100 - peak / top * 96).toFixed(1);",
    "    path += 'V' + (100 - count / top * 96).toFixed(1);",
    "  }",
    "  $('steps').setAttribute('d', path + 'H10000V100Z');",
    "  $('top').textContent = top;",
    "}",
    "function receive(text) {",
    "  const lines = text.split('\\n');",
    "  const [now, count, peak, , all, untold] = lines[0].split(' ')"
    ".map(Number);",
    "  for (const line of lines.slice(1)) {",
    "    const [id, ...rest] = line.slice(1).split(' ');",
    "    if (line[0] === '-') end(id, Number(rest[0]));",
    "    else if (count <= MOST_BARS)",
    "      begin(id, rest[0], Number(rest[1]), rest.slice(2).join(' '));",
    "  }",
    /* Too many at once: sums, no bars. */
    "  const many = untold > 0 || count > MOST_BARS;",
    "  if (many) for (const id of [...bars.keys()]) forget(id);",
    "  if (many) base = now;",
    "  $('many').hidden = !(now - base < 1500 && base > 0);",
    "  $('many').textContent = 'too many for a bar each: see the graph';",
    "  told.untold += untold;",
    "  told.messages++;",
    "  told.most = Math.max(told.most, peak, count);",
    "  samples.push([now, count, Math.max(peak, count)]);",
    "  $('now').textContent = count;",
    "  $('most').textContent = told.most;",
    "  $('all').textContent = all;",
    "  drawBars(now);",
    "  drawGraph(now);",
    "}",
    "const source = new EventSource('/live/events');",
    "source.onopen = () => $('state').textContent = '';",
    "source.onerror = () => $('state').textContent = 'the sites are gone';",
    "source.onmessage = message => receive(message.data);",
    "$('clear').onclick = clear;",
    "</script>",
    "</html>",
};

char *live_text(size_t *length) {
    char *text = NULL;
    FILE *out = open_memstream(&text, length);

    if (out == NULL)
        return NULL;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        fprintf(out, "%s\n", lines[i]);
    return fclose(out) == 0 ? text : NULL;
}
