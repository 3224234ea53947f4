// Draws temperature and oxygen over time. A gap stays a gap; the table below says the same in words.
"use strict";
async function draw() {
  const place = document.getElementById("charts");
  const answer = await fetch(place.dataset.url);
  if (!answer.ok) return;
  const { columns, events } = await answer.json();
  if (!columns[0].length) return;
  const [times, tempLow, tempHigh, spo2Low, spo2High] = columns;
  const tenth = (value) => (value === null ? null : value / 10);
  const hundredth = (value) => (value === null ? null : value / 100);
  const marks = (plot) => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = "#555";
    ctx.setLineDash([4, 4]);
    for (const one of events) {
      const x = plot.valToPos(one.t, "x", true);
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.beginPath(); ctx.moveTo(x, bbox.top); ctx.lineTo(x, bbox.top + bbox.height); ctx.stroke();
    }
    ctx.restore();
  };
  chart(place, "Temperature in °C", times, tempLow.map(hundredth), tempHigh.map(hundredth), [36, 40], marks);
  chart(place, "SpO2 in %", times, spo2Low.map(tenth), spo2High.map(tenth), [85, 100], marks);
}

function chart(place, title, times, low, high, usual, marks) {
  const known = [...low, ...high].filter((value) => value !== null);
  const range = [Math.min(usual[0], ...known), Math.max(usual[1], ...known)];
  const two = (number) => String(number).padStart(2, "0");
  const clock = (at) => { const t = new Date(at * 1000); return two(t.getHours()) + ":" + two(t.getMinutes()); };
  const day = (at) => { const t = new Date(at * 1000); return t.getFullYear() + "-" + two(t.getMonth() + 1) + "-" + two(t.getDate()); };
  const isLong = times[times.length - 1] - times[0] > 2 * 86400;
  const line = { stroke: "#003a70", width: 2, spanGaps: false, points: { show: true, size: 3 } };
  new uPlot({
    title, width: Math.min(1600, place.clientWidth), height: 260,
    scales: { y: { range } },
    axes: [{ values: (_, ticks) => ticks.map(isLong ? day : clock), space: 90 }, {}],
    series: [{ label: "time", value: (_, at) => (at === null ? "–" : day(at) + " " + clock(at)) }, { label: "lowest", ...line }, { label: "highest", ...line, stroke: "#a80000" }],
    bands: [{ series: [2, 1], fill: "rgba(0, 58, 112, 0.15)" }],
    hooks: { draw: [marks] },
  }, [times, low, high], place);
}
draw();
