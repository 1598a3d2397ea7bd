"use strict";
// Without this script the page shows everything: pictures as strips, tables in their order. Text is only ever set as text.
(() => {
  const make = (tag, attributes = {}, text = "") => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.textContent = text;
    return element;
  };

  // A slider over the steps of a series of pictures, whose newest comes first in the page.
  for (const film of document.querySelectorAll(".film")) {
    const frames = [...film.querySelectorAll(".frame")].reverse();
    if (frames.length < 2) continue;
    const last = frames.length - 1;
    const slider = make("input", { type: "range", min: 0, max: last, step: 1, "aria-label": "step" });
    const output = make("output");
    const button = make("button", { type: "button", "aria-label": "play" }, "▶");
    const controls = make("div", { class: "controls" });
    controls.append(button, slider, output);
    let timer = 0;
    const show = (index) => {
      frames.forEach((frame, i) => frame.classList.toggle("on", i === index));
      slider.value = index;
      output.textContent = frames[index].querySelector("figcaption").textContent;
      slider.setAttribute("aria-valuetext", output.textContent);
    };
    const stop = () => {
      clearInterval(timer);
      timer = 0;
      button.textContent = "▶";
    };
    slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
    button.addEventListener("click", () => {
      if (timer) return stop();
      button.textContent = "❚❚";
      let index = Number(slider.value) === last ? 0 : Number(slider.value);
      show(index);
      timer = setInterval(() => {
        index += 1;
        show(index);
        if (index === last) stop();
      }, 350);
    });
    film.append(controls);
    film.classList.add("live");
    show(last);
  }

  // A table sorts by the column whose head is pressed; again for the other direction. Rows without a value stay last.
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = make("button", { type: "button" });
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const key = (group) => group.rows[0].cells[column].dataset.sort ?? group.rows[0].cells[column].textContent.trim();
        const groups = [...table.tBodies].map((group) => [key(group), group]);
        groups.sort(([a], [b]) => {
          if ((a === "") !== (b === "")) return a === "" ? 1 : -1;
          const order = a !== "" && isFinite(a) && isFinite(b) ? a - b : a.localeCompare(b);
          return down ? -order : order;
        });
        table.append(...groups.map(([, group]) => group));
      });
    });
  }

  // The values under the pointer, beside the names of the curves.
  for (const plot of document.querySelectorAll(".plot")) {
    const values = [...plot.querySelectorAll(".legend b")];
    for (const chart of plot.querySelectorAll("svg.chart")) {
      const [left, , width, height] = chart.dataset.frame.split(" ").map(Number);
      const top = Number(chart.dataset.frame.split(" ")[1]);
      const [x0, x1, y0, y1] = chart.dataset.axes.split(" ").map(Number);
      const log = chart.classList.contains("log");
      const curves = [...chart.querySelectorAll(".line")].map((line) =>
        [...(line.getAttribute("d") ?? "").matchAll(/[ML](-?[\d.]+) (-?[\d.]+)/g)].map((m) => [Number(m[1]), Number(m[2])]));
      const hair = chart.querySelector(".hair");
      const across = (x) => Math.round(x0 + ((x - left) / width) * (x1 - x0));
      const up = (y) => {
        const share = 1 - (y - top) / height;
        return log ? y0 * Math.pow(y1 / y0, share) : y0 + share * (y1 - y0);
      };
      const clear = () => {
        hair.style.visibility = "hidden";
        values.forEach((value) => { value.textContent = ""; });
      };
      chart.addEventListener("pointerleave", clear);
      chart.addEventListener("pointermove", (event) => {
        const box = chart.getBoundingClientRect();
        const x = ((event.clientX - box.left) / box.width) * chart.viewBox.baseVal.width;
        const near = curves.map((points) =>
          points.reduce((best, point) => (best && Math.abs(best[0] - x) <= Math.abs(point[0] - x) ? best : point), null));
        const all = near.filter(Boolean);
        if (!all.length) return;
        const at = all.reduce((best, point) => (Math.abs(best[0] - x) <= Math.abs(point[0] - x) ? best : point))[0];
        hair.setAttribute("x1", at);
        hair.setAttribute("x2", at);
        hair.style.visibility = "visible";
        near.forEach((point, i) => {
          if (!values[i]) return;
          values[i].textContent = point
            ? ` ${Number(up(point[1]).toPrecision(4))} at ${across(point[0]).toLocaleString("en")}`
            : "";
        });
      });
    }
  }
})();
