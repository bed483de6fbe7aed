// One chart on the page: its drawing, its size and its colours.
pregrad.chart = (() => {
  const PRINTED_WIDTH = 680;
  const NARROW = 520;
  const LEAST_COLUMN = 5;

  const MOST_IN_SVG = 10000;

  // `redraw` is called when the place's width has changed, from nothing too; `marks` is how many are drawn, about.
  function create(id, redraw, marks = 0) {
    const place = pregrad.byId(id);
    const drawn = place.appendChild(pregrad.element('div', {class: 'drawn', 'aria-hidden': 'true'}));
    const chart = echarts.init(drawn, null, {renderer: marks > MOST_IN_SVG ? 'canvas' : 'svg', ...size(place)});
    let width = 0;
    new ResizeObserver(() => {
      if (!pregrad.theme.isPrinting() && place.clientWidth !== width) {
        redraw();
      }
    }).observe(place);
    return {
      place,
      chart,
      seen: () => place.parentElement.clientWidth,
      narrow: () => size(place).width < NARROW,
      draw(option) {
        ({width} = size(place));
        chart.resize(size(place));
        chart.setOption({animation: false, textStyle: {fontFamily: 'inherit', color: pregrad.theme.colour('ink')}, ...option}, true);
      },
    };
  }

  // In pixels, at least one each; paper has another width than the screen.
  const size = (place) => ({
    width: Math.max(1, pregrad.theme.isPrinting() ? PRINTED_WIDTH : place.clientWidth),
    height: Math.max(1, place.clientHeight),
  });

  const axis = (name, more = {}) => ({
    name,
    nameLocation: 'middle',
    nameTextStyle: {color: pregrad.theme.colour('soft'), fontSize: 12},
    axisLabel: {color: pregrad.theme.colour('soft'), fontSize: 11, ...more.axisLabel},
    axisLine: {show: true, lineStyle: {color: pregrad.theme.colour('line')}},
    axisTick: {show: false},
    splitLine: {lineStyle: {color: pregrad.theme.colour('line'), opacity: 0.6}},
    ...Object.fromEntries(Object.entries(more).filter(([key]) => key !== 'axisLabel')),
  });

  // Shows text beside the pointer: a heading and pairs of a name and a value, none of it read as HTML.
  const tip = (heading, pairs) => pregrad.element('div', {class: 'tip'},
    pregrad.element('strong', {}, heading),
    ...pairs.map(([name, value]) => pregrad.element('div', {},
      pregrad.element('span', {}, name), pregrad.element('span', {}, value))));

  const tooltip = () => ({
    confine: true,
    backgroundColor: pregrad.theme.colour('raised'),
    borderColor: pregrad.theme.colour('line'),
    textStyle: {color: pregrad.theme.colour('ink')},
  });

  // From the lowest to the highest of what is drawn; symmetric where there are values on both sides of 0.
  const DIVERGING = {
    light: ['#0b4f8a', '#6aa9dc', '#f2f2f2', '#eda06c', '#9c3a04'],
    dark: ['#8ccaff', '#2d72b5', '#262b33', '#b8622c', '#ffbf8f']};
  const RISING = {light: ['#f2f2f2', '#eda06c', '#9c3a04'], dark: ['#262b33', '#b8622c', '#ffbf8f']};

  function colours(view, values) {
    let largest = 0;
    let isSigned = false;
    for (const value of values) {
      if (Number.isFinite(value)) {
        largest = Math.max(largest, Math.abs(value));
        isSigned ||= value < 0;
      }
    }
    const high = largest || 1;
    const low = isSigned ? -high : 0;
    return {
      type: 'continuous', min: low, max: high, calculable: false, orient: 'horizontal', left: 'center', bottom: 0,
      itemWidth: 12, itemHeight: view.narrow() ? 120 : 220, seriesIndex: 0, dimension: 2,
      text: [pregrad.shown(high, 3), pregrad.shown(low, 3)],
      textStyle: {color: pregrad.theme.colour('soft')},
      inRange: {color: (isSigned ? DIVERGING : RISING)[pregrad.theme.isDark() ? 'dark' : 'light']}};
  }

  // Gives each of so many columns some room, by a chart that is wider than what is seen of it if need be.
  function widen(view, columns) {
    const room = pregrad.theme.isPrinting() ? 0 : columns * LEAST_COLUMN + (view.seen() < NARROW ? 130 : 190);
    view.place.style.minWidth = room > view.seen() ? `${room}px` : '';
  }

  return {create, axis, tip, tooltip, colours, widen};
})();
