// Bends edges that would run behind a node they have nothing to do with.

const BENDS = [0, 40, -40, 75, -75, 115, -115, 160, -160, 220, -220];
const CLEARANCE = 7;
const STEP = 10; // drawing units between the places looked at

// Sets `bend` on every edge: how far, in drawing units, its control point lies off the straight
// line between the two nodes. 0 is straight; the smallest bend that hides least is taken.
export function route(edges, nodes) {
  const boxes = nodes.map((node) => {
    const { x, y } = node.position();
    const w = node.width() / 2 + CLEARANCE;
    const h = node.height() / 2 + CLEARANCE;
    return { id: node.id(), x1: x - w, x2: x + w, y1: y - h, y2: y + h };
  });
  edges.forEach((edge) => {
    const [from, to] = [edge.source().position(), edge.target().position()];
    const others = boxes.filter((box) => box.id !== edge.source().id() && box.id !== edge.target().id());
    let [best, fewest] = [0, Infinity];
    const furthest = 0.6 * Math.hypot(to.x - from.x, to.y - from.y);
    for (const bend of BENDS.filter((bend) => Math.abs(bend) <= furthest)) {
      const hidden = others.filter((box) => passes(from, to, bend, box)).length;
      if (hidden < fewest) [best, fewest] = [bend, hidden];
      if (hidden === 0) break;
    }
    edge.data("bend", best);
    edge.toggleClass("bent", best !== 0);
  });
}

function passes(from, to, bend, box) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(dx, dy) || 1;
  const control = {
    x: (from.x + to.x) / 2 - (bend * dy) / length,
    y: (from.y + to.y) / 2 + (bend * dx) / length,
  };
  const samples = Math.max(12, Math.ceil(length / STEP));
  for (let sample = 1; sample < samples; sample += 1) {
    const t = sample / samples;
    const s = 1 - t;
    const x = s * s * from.x + 2 * s * t * control.x + t * t * to.x;
    const y = s * s * from.y + 2 * s * t * control.y + t * t * to.y;
    if (x > box.x1 && x < box.x2 && y > box.y1 && y < box.y2) return true;
  }
  return false;
}
