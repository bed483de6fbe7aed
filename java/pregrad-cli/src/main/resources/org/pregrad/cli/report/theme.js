// Light and dark, on screen and on paper.
pregrad.theme = (() => {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const root = document.documentElement;
  const button = pregrad.byId('theme');
  const probe = document.head.appendChild(pregrad.element('i'));
  let printing = false;
  let redraw = () => {};

  const isDark = () => !printing && (root.dataset.theme ? root.dataset.theme === 'dark' : system.matches);

  // The computed colour of one of the style sheet's names.
  const colour = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };

  function update() {
    button.textContent = isDark() ? 'Light' : 'Dark';
    button.setAttribute('aria-label', isDark() ? 'Show in light colours' : 'Show in dark colours');
    redraw();
  }

  function start(draw) {
    redraw = draw;
    button.hidden = false;
    button.addEventListener('click', () => {
      root.dataset.theme = isDark() ? 'light' : 'dark';
      update();
    });
    system.addEventListener('change', update);
    let before;
    addEventListener('beforeprint', () => {
      before = root.dataset.theme;
      printing = true;
      root.dataset.theme = 'light';
      redraw();
    });
    addEventListener('afterprint', () => {
      printing = false;
      if (before === undefined) {
        delete root.dataset.theme;
      } else {
        root.dataset.theme = before;
      }
      redraw();
    });
    update();
  }

  return {start, isDark, colour, isPrinting: () => printing};
})();
