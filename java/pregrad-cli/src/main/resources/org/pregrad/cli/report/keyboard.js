// Reads a chart point by point with the arrow keys.
pregrad.keyboard = (() => {
  const KEYS = {
    ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0],
    PageUp: [0, -10], PageDown: [0, 10], Home: [0, -Infinity], End: [0, Infinity]};

  const within = (value, count) => Math.max(0, Math.min(count - 1, value));

  // `grid` tells rows(), columns(), read(row, column) in words, and shows and hides a mark; enter(row, column), if it has it,
  // chooses what was read.
  function attach(place, label, hint, grid) {
    const reading = pregrad.element('p', {class: 'reading', 'aria-live': 'polite'});
    const help = pregrad.element('p', {class: 'hint', id: `${place.id}-keys`}, hint);
    place.after(help, reading);
    Object.entries({
      tabindex: '0', role: 'application', 'aria-roledescription': 'chart', 'aria-label': label,
      'aria-describedby': help.id}).forEach(([key, value]) => place.setAttribute(key, value));
    let at = null;

    const read = () => {
      reading.textContent = grid.read(at.row, at.column);
      grid.mark(at.row, at.column);
    };

    place.addEventListener('keydown', (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) {
        return;
      }
      if (event.key === 'Escape') {
        reset();
        return;
      }
      if (event.key === 'Enter' && at !== null && grid.enter) {
        event.preventDefault();
        grid.enter(at.row, at.column);
        return;
      }
      const step = KEYS[event.key];
      if (!step || grid.rows() === 0 || grid.columns() === 0) {
        return;
      }
      event.preventDefault();
      at = at === null
        ? {row: 0, column: event.key === 'End' ? grid.columns() - 1 : 0}
        : {row: within(at.row + step[0], grid.rows()), column: within(at.column + step[1], grid.columns())};
      read();
    });
    place.addEventListener('blur', () => grid.unmark());

    function reset() {
      at = null;
      reading.textContent = '';
      grid.unmark();
    }
    return {reset};
  }

  return {attach};
})();
