'use strict';
// What all parts of the page share.
const pregrad = {
  data: JSON.parse(document.getElementById('data').textContent),

  // What is chosen: indexes into the data, and a method's and aggregate's name.
  chosen: {layer: 0, cluster: 0, method: null, aggregate: null, metric: 0},

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
    if (value === null || value === undefined) {
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

  // Fills a table into a details element, where it is only made when someone looks.
  table(details, head, rows) {
    details.querySelector('.data')?.remove();
    const fill = () => {
      if (!details.open || details.querySelector('.data')) {
        return;
      }
      const cell = (text, index, name) => pregrad.element(
        index === 0 ? 'th' : name, index === 0 ? {scope: 'row'} : {class: 'number'}, text);
      const header = pregrad.element('tr', {}, ...head.map((text, index) =>
        pregrad.element('th', {scope: 'col', class: index === 0 ? '' : 'number'}, text)));
      const body = rows().map((row) => pregrad.element(
        'tr', {}, ...row.map((text, index) => cell(text, index, 'td'))));
      details.append(pregrad.element(
        'div', {class: 'data', tabindex: '0', role: 'region', 'aria-label': details.firstElementChild.textContent},
        pregrad.element('table', {},
          pregrad.element('thead', {}, header), pregrad.element('tbody', {}, ...body))));
    };
    details.ontoggle = fill;
    fill();
  },
};
