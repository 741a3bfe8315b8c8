// Texts that lie on each other, are cut off, or leave their card, in words. They are measured by the boxes of their glyphs;
// what scrolls, or says by an ellipsis that it goes on, is not cut off.
() => {
  const shown = node => node.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && getComputedStyle(node).clipPath === 'none';
  const clips = style => [style.overflowX, style.overflowY].some(each => each !== 'visible');
  // the lines of a text as far as they can be seen, and whether something cuts one off without saying so
  function linesOf(text) {
    const range = document.createRange();
    range.selectNodeContents(text);
    return [...range.getClientRects()].filter(each => each.width > 1 && each.height > 1).map(each => clipped(text.parentElement, { left: each.left, right: each.right, top: each.top, bottom: each.bottom }));
  }
  function clipped(from, box) {
    let cut = false;
    for (let node = from; node && node !== document.body; node = node.parentElement) {
      const style = getComputedStyle(node);
      if (!clips(style)) continue;
      const bounds = node.getBoundingClientRect();
      const says = style.textOverflow === 'ellipsis' || [style.overflowX, style.overflowY].some(each => each === 'auto' || each === 'scroll');
      const over = box.right > bounds.right + 1.5 || box.left < bounds.left - 1.5 || box.bottom > bounds.bottom + 3 || box.top < bounds.top - 3;
      if (over && !says) cut = true;
      box = { left: Math.max(box.left, bounds.left), right: Math.min(box.right, bounds.right), top: Math.max(box.top, bounds.top), bottom: Math.min(box.bottom, bounds.bottom) };
    }
    return { ...box, cut, empty: box.right - box.left < 1 || box.bottom - box.top < 1 };
  }
  const say = text => text.textContent.trim().replace(/\s+/g, ' ').slice(0, 40);
  const troubles = [];
  const groups = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode;
    const parent = text.parentElement;
    if (!text.textContent.trim() || !shown(parent) || parent.closest('.vh, .skip, title, defs, script, style, .leaflet-host, option, dialog:not([open])')) continue;
    const group = parent.closest('.card, .head, .rail, .drawer, .foot, .page-h, dialog') ?? document.body;
    const name = group.dataset.card ?? group.className;
    const bounds = group.getBoundingClientRect();
    for (const box of linesOf(text)) {
      if (box.cut) troubles.push(`cut off: “${say(text)}” in ${name}`);
      if (box.empty) continue;
      if (box.right > bounds.right + 1.5 || box.left < bounds.left - 1.5) troubles.push(`outside: “${say(text)}” of ${name}`);
      const over = parent.closest('.map-pop, .pop, .tip, .newpill, th, .fixed-first td:first-child');
      groups.set(name, [...(groups.get(name) ?? []), { text, box, over }]);
    }
  }
  for (const [name, list] of groups) {
    for (let i = 0; i < list.length; i += 1) for (let j = i + 1; j < list.length; j += 1) {
      const [a, b] = [list[i], list[j]];
      if (a.text === b.text || (a.over !== b.over && (a.over || b.over))) continue;
      const wide = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
      const high = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
      if (wide > 2 && high > 5) troubles.push(`on each other: “${say(a.text)}” and “${say(b.text)}” in ${name}`);
    }
  }
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) troubles.push(`the page is ${document.documentElement.scrollWidth} wide, the window ${width}`);
  return [...new Set(troubles)];
}
