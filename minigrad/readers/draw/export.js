// Saves the picture as it is shown: with its style inside, so that it needs nothing else.
(() => {
  const { find, now } = drawing, SHOWN = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "opacity",
    "display", "visibility", "font-family", "font-size", "font-weight", "text-anchor"];

  function standing() { // a copy with computed styles, of the whole picture
    const from = now().svg, to = from.cloneNode(true), [left, top, width, height] = now().size;
    const copies = to.querySelectorAll("*");
    from.querySelectorAll("*").forEach((element, i) => {
      const style = getComputedStyle(element);
      copies[i].setAttribute("style", SHOWN.map((name) => `${name}:${style.getPropertyValue(name)}`).join(";"));
    });
    for (const gone of to.querySelectorAll(".hidden, style")) gone.remove();
    const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const box = { x: left, y: top, width, height, fill: getComputedStyle(document.body).backgroundColor };
    for (const [key, value] of Object.entries(box)) ground.setAttribute(key, value);
    to.prepend(ground);
    to.setAttribute("viewBox", `${left} ${top} ${width} ${height}`);
    to.setAttribute("width", width);
    to.setAttribute("height", height);
    to.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    to.removeAttribute("class");
    return [new XMLSerializer().serializeToString(to), width, height];
  }

  function save(url, name) {
    const link = document.createElement("a");
    link.href = url;
    link.download = name;
    link.click();
  }

  drawing.picture = standing;
  find("svg").addEventListener("click", () => {
    const url = URL.createObjectURL(new Blob([standing()[0]], { type: "image/svg+xml" }));
    save(url, "graph.svg");
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  });
  find("png").addEventListener("click", () => {
    const [text, width, height] = standing(), image = new Image(), sharp = Math.min(3, 8000 / Math.max(width, height));
    image.onload = () => {
      const canvas = document.createElement("canvas");
      canvas.width = Math.ceil(width * sharp);
      canvas.height = Math.ceil(height * sharp);
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      save(canvas.toDataURL("image/png"), "graph.png");
    };
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  });
})();
