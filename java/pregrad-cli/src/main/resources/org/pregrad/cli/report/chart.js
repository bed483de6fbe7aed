// One chart on the page: its drawing, its size and its colours.
pregrad.chart = (() => {
  const PRINTED_WIDTH = 680;
  const NARROW = 520;

  // `redraw` is called when the place's width has changed, from nothing too.
  function create(id, redraw) {
    const place = pregrad.byId(id);
    const drawn = place.appendChild(pregrad.element('div', {class: 'drawn', 'aria-hidden': 'true'}));
    const chart = echarts.init(drawn, null, {renderer: 'svg', ...size(place)});
    let width = 0;
    new ResizeObserver(() => {
      if (!pregrad.theme.isPrinting() && place.clientWidth !== width) {
        redraw();
      }
    }).observe(place);
    return {
      place,
      chart,
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

  return {create, axis, tip, tooltip};
})();
