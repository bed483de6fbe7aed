// How the cancellation is distributed over neurons, per method.
pregrad.cancellation = (() => {
  const PARTS = ['smallest', 'lower quartile', 'median', 'upper quartile', 'largest'];
  const ROW = 30;
  let view = null;
  let keys = null;

  const spreads = () => pregrad.cluster().cancellation ?? [];

  function draw() {
    const broken = (name) => (view.narrow() ? name.replace(/-x-|-(?=activation|gradients|influence)/g, (cut) => `${cut.slice(0, -1)}-\n`) : name);
    view.place.style.height = `${spreads().length * ROW + 70}px`;
    view.draw({
      grid: {left: 8, right: 16, top: 8, bottom: 28, containLabel: true},
      tooltip: {...pregrad.chart.tooltip(), trigger: 'axis', axisPointer: {type: 'shadow'}, formatter: ([point]) =>
        pregrad.chart.tip(spreads()[point.dataIndex].method, spreads()[point.dataIndex].quantiles.map(
          (value, index) => [PARTS[index], pregrad.shown(value, 3)]))},
      xAxis: pregrad.chart.axis('Cancellation', {type: 'value', min: 0, max: 1, nameGap: 26}),
      yAxis: pregrad.chart.axis('', {
        type: 'category', data: spreads().map((spread) => spread.method), inverse: true, splitLine: {show: false},
        axisLabel: {interval: 0, formatter: broken, lineHeight: 11, fontSize: view.narrow() ? 10 : 12}}),
      series: [
        {type: 'boxplot', boxWidth: [8, 16], emphasis: {disabled: true}, data: spreads().map((spread) => spread.quantiles),
          itemStyle: {color: pregrad.theme.colour('raised'), borderColor: pregrad.theme.colour('accent'), borderWidth: 1.75}},
        {type: 'scatter', id: 'cursor', data: [], symbolSize: 13, silent: true, z: 9, tooltip: {show: false},
          itemStyle: {color: 'transparent', borderColor: pregrad.theme.colour('ink'), borderWidth: 2.5}}],
    });
  }

  function describe() {
    const order = [...spreads()].sort((a, b) => a.quantiles[2] - b.quantiles[2]);
    pregrad.byId('cancellation-text').textContent = 'Boxes span the quartiles over neurons around the median, whiskers all neurons. '
      + (order.length > 0 ? `The lowest median is that of ${order[0].method}, ${pregrad.shown(order[0].quantiles[2], 3)}.`
        : pregrad.cluster().cancellation ? 'No neuron has a score here.'
          : 'That of this cluster is left out of the page: pregrad report --cluster draws it.');
  }

  function update() {
    draw();
    describe();
    keys.reset();
  }

  function start() {
    view = pregrad.chart.create('cancellation-chart', update);
    keys = pregrad.keyboard.attach(view.place, 'Cancellation per method',
      'Focus the chart, then: up and down to another method, left and right to another quantile, Escape. The table below has the same numbers.', {
        rows: () => spreads().length,
        columns: () => PARTS.length,
        read: (row, column) => `${spreads()[row].method}: ${PARTS[column]} ${pregrad.shown(spreads()[row].quantiles[column], 3)}, `
          + `${spreads()[row].neurons} neurons`,
        mark: (row, column) => view.chart.setOption({series: [{id: 'cursor', data: [[spreads()[row].quantiles[column], row]]}]}),
        unmark: () => view.chart.setOption({series: [{id: 'cursor', data: []}]}),
      });
  }

  return {start, update};
})();
