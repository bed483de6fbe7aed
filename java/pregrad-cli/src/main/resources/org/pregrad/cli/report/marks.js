// How a curve is told from others without its colour alone: the method has a colour and a symbol, the aggregate a dash.
pregrad.marks = (() => {
  const KNOWN = [
    'gradient', 'gradient-x-activation', 'integrated-gradients', 'conductance', 'activation',
    'gradient-x-centred-activation', 'gradient-x-preactivation', 'preactivation', 'activation-rate', 'internal-influence'];
  const LIGHT = ['#c24e00', '#0067a5', '#00795a', '#a8327a', '#7d6200', '#5a4fcf'];
  const DARK = ['#ff9d57', '#5cbcff', '#3fd0a2', '#f08cc6', '#ecd94b', '#b3a8ff'];
  const SYMBOLS = ['circle', 'triangle', 'rect', 'diamond', 'arrow'];
  const DASHES = {mean: [], mean_abs: [7, 4], rms: [2, 3], std: [9, 3, 2, 3], cancellation: [14, 4]};
  const ORACLE = 'ablation';
  const others = [];

  function place(method) {
    const known = KNOWN.indexOf(method);
    if (known >= 0) {
      return known;
    }
    if (!others.includes(method)) {
      others.push(method);
    }
    return KNOWN.length + others.indexOf(method);
  }

  function of(method, aggregate) {
    const dash = DASHES[aggregate] ?? [];
    if (method === ORACLE) {
      return {colour: pregrad.theme.colour('ink'), symbol: 'none', dash, width: 3.5};
    }
    const colours = pregrad.theme.isDark() ? DARK : LIGHT;
    const index = place(method);
    return {colour: colours[index % colours.length], symbol: SYMBOLS[index % SYMBOLS.length], dash, width: 1.75};
  }

  const random = () => ({colour: pregrad.theme.colour('band'), symbol: 'none', dash: [2, 2], width: 1.5});

  const SHAPES = {
    circle: 'M14 3.5a3.5 3.5 0 1 0 .01 0z', triangle: 'M14 3l4 7h-8z', rect: 'M10.5 3.5h7v7h-7z',
    diamond: 'M14 2.5l4 4.5-4 4.5-4-4.5z', arrow: 'M14 3l4 8-4-2.5-4 2.5z'};

  // A sample of the line, for the legend.
  function swatch(mark, banded) {
    const space = 'http://www.w3.org/2000/svg';
    const svg = document.createElementNS(space, 'svg');
    const draw = (name, attributes) => {
      const made = document.createElementNS(space, name);
      Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
      svg.append(made);
    };
    Object.entries({width: 28, height: 14, 'aria-hidden': 'true'})
      .forEach(([key, value]) => svg.setAttribute(key, value));
    if (banded) {
      draw('rect', {x: 0, y: 1, width: 28, height: 12, fill: mark.colour, opacity: 0.3});
    }
    draw('path', {d: 'M0 7h28', stroke: mark.colour, 'stroke-width': mark.width, 'stroke-dasharray': mark.dash.join(' ')});
    if (SHAPES[mark.symbol]) {
      draw('path', {d: SHAPES[mark.symbol], fill: mark.colour});
    }
    return svg;
  }

  return {of, random, swatch, isOracle: (method) => method === ORACLE};
})();
