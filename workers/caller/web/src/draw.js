/* A page is drawn once for all that changed in one turn. Both pages use it; each bundle has its own. */
let draw = () => {}, asked = false;
export const onChange = f => { draw = f; };

export function changed() {
  if (asked) return;
  asked = true;
  Promise.resolve().then(() => {
    asked = false;
    draw();
  });
}
