'use strict';
// What all parts of the page share.
const pregrad = {
  data: JSON.parse(document.getElementById('data').textContent),

  // What is chosen: indexes into the data, and a method's and aggregate's name.
  chosen: {layer: 0, cluster: 0, other: null, method: null, aggregate: null, metric: 0},

  byId: (id) => document.getElementById(id),

  // Makes an element; children are elements or plain text, so that no text is ever read as HTML.
  element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  },

  // A number as people read it.
  shown(value, digits = 4) {
    if (value === null || value === undefined || Number.isNaN(value)) {
      return '–';
    }
    const size = Math.abs(value);
    const text = size === 0 || (size >= 1e-4 && size < 1e6)
      ? String(Number(value.toPrecision(digits)))
      : Number(value.toPrecision(digits)).toExponential();
    return text.replace('-', '−');
  },

  layer() {
    return pregrad.data.layers[pregrad.chosen.layer];
  },

  cluster() {
    return pregrad.layer().clusters[pregrad.chosen.cluster];
  },

  // The cluster that it is compared with, or undefined.
  other() {
    return pregrad.chosen.other === null ? undefined : pregrad.layer().clusters[pregrad.chosen.other];
  },

  // A table's row: its heading, then numbers.
  row: (cells) => pregrad.element('tr', {}, ...cells.map((cell, index) => pregrad.element(
    index === 0 ? 'th' : 'td', index === 0 ? {scope: 'row'} : {class: 'number'}, cell))),

  // Fills a table into a details element, where it is only made when someone looks.
  table(details, head, rows) {
    details.querySelector('.data')?.remove();
    const fill = () => {
      if (!details.open || details.querySelector('.data')) {
        return;
      }
      const header = pregrad.element('tr', {}, ...head.map((text, index) =>
        pregrad.element('th', {scope: 'col', class: index === 0 ? '' : 'number'}, text)));
      const body = rows().map(pregrad.row);
      details.append(pregrad.element(
        'div', {class: 'data', tabindex: '0', role: 'region', 'aria-label': details.firstElementChild.textContent},
        pregrad.element('table', {},
          pregrad.element('thead', {}, header), pregrad.element('tbody', {}, ...body))));
    };
    details.ontoggle = fill;
    fill();
  },
};
