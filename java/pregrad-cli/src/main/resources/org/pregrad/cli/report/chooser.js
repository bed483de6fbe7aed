// A list to choose from, with a field that finds entries in a long one.
pregrad.chooser = (() => {
  const LONG = 12;

  // Without what stands behind it in brackets.
  const name = (text) => text.slice(0, text.includes(' (') ? text.lastIndexOf(' (') : undefined).toLowerCase();

  // `entries` are pairs of a value and a text.
  function create(id) {
    const select = pregrad.byId(id);
    const find = pregrad.byId(`${id}-find`);
    const found = pregrad.byId(`${id}-found`);
    let entries = [];

    const matches = () => {
      const wanted = find.value.trim().toLowerCase();
      return entries.filter(([, text]) => name(text).includes(wanted));
    };

    function show(shown, value) {
      select.replaceChildren(...shown.map(([key, text]) => pregrad.element('option', {value: key}, text)));
      select.value = value;
    }

    // What is chosen stays in the list, whether it was looked for or not.
    function narrow() {
      const {value} = select;
      const some = matches();
      show(entries.filter((entry) => some.includes(entry) || entry[0] === value), value);
      found.textContent = find.value.trim() === '' ? '' : `${some.length} of ${entries.length}`;
    }

    function choose(entry) {
      if (entry && entry[0] !== select.value) {
        select.value = entry[0];
        select.dispatchEvent(new Event('change'));
        narrow();
      }
    }

    find.addEventListener('input', narrow);
    find.addEventListener('keydown', (event) => {
      const some = matches();
      const at = some.findIndex(([key]) => key === select.value);
      const wanted = find.value.trim().toLowerCase();
      const moves = {
        ArrowDown: () => choose(some[Math.min(at + 1, some.length - 1)]),
        ArrowUp: () => choose(some[Math.max(at - 1, 0)]),
        // The entry of that very name before those that hold it.
        Enter: () => choose(some.find(([, text]) => name(text) === wanted) ?? some[0]),
        Escape: () => {
          find.value = '';
          narrow();
        }};
      if (moves[event.key]) {
        event.preventDefault();
        moves[event.key]();
      }
    });

    return {
      fill(all, value) {
        entries = all;
        find.value = '';
        found.textContent = '';
        find.closest('.find').hidden = all.length <= LONG;
        show(all, value);
      },
      choose(value) {
        choose(entries.find(([key]) => key === value));
      },
      select,
    };
  }

  return {create};
})();
