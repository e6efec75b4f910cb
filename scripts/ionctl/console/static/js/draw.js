// Draws the page again after a change; many changes at once are one drawing.
let draw = () => {};
let due = false;

export function drawWith(page) {
  draw = page;
}

export function changed() {
  if (due) return;
  due = true;
  queueMicrotask(() => {
    due = false;
    draw();
  });
}
