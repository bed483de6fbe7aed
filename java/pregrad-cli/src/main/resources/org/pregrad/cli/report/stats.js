// Student's t, Welch's comparison of two means, and false discovery rates.
pregrad.stats = (() => {
  const CONFIDENCE = 0.95;
  const LANCZOS = [676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
    12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7];

  function logGamma(x) {
    const sum = LANCZOS.reduce((total, part, index) => total + part / (x + index), 0.99999999999980993);
    const t = x + LANCZOS.length - 1.5;
    return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
  }

  // The regularised incomplete beta function, by its continued fraction (Lentz).
  function beta(x, a, b) {
    if (x <= 0 || x >= 1) {
      return x <= 0 ? 0 : 1;
    }
    if (x > (a + 1) / (a + b + 2)) {
      return 1 - beta(1 - x, b, a);
    }
    const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
    const safe = (value) => (Math.abs(value) < 1e-300 ? 1e-300 : value);
    let c = 1;
    let d = 1 / safe(1 - (a + b) * x / (a + 1));
    let fraction = d;
    for (let m = 1; m < 300; m++) {
      const even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
      d = 1 / safe(1 + even * d);
      c = safe(1 + even / c);
      fraction *= d * c;
      const odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
      d = 1 / safe(1 + odd * d);
      c = safe(1 + odd / c);
      fraction *= d * c;
      if (Math.abs(d * c - 1) < 1e-14) {
        break;
      }
    }
    return front * fraction;
  }

  // How likely t is further from 0 than this.
  const p = (t, degrees) => (Number.isFinite(t) ? beta(degrees / (degrees + t * t), degrees / 2, 0.5) : Number.isNaN(t) ? NaN : 0);

  const bounds = new Map();

  // Beyond it, on both sides together, t lies with 5%.
  function bound(degrees) {
    if (!(degrees > 0)) {
      return NaN;
    }
    if (!bounds.has(degrees)) {
      let low = 0;
      let high = 2;
      while (p(high, degrees) > 1 - CONFIDENCE) {
        high *= 2;
      }
      for (let step = 0; step < 60; step++) {
        const middle = (low + high) / 2;
        [low, high] = p(middle, degrees) > 1 - CONFIDENCE ? [middle, high] : [low, middle];
      }
      bounds.set(degrees, (low + high) / 2);
    }
    return bounds.get(degrees);
  }

  // Half of the interval of a mean of so many samples.
  const half = (error, samples) => (error === 0 ? 0 : bound(samples - 1) * error);

  // How far two means differ: {difference, half, p}; all NaN but the difference where there is no error.
  function welch(one, other) {
    const difference = one.score - other.score;
    const squares = [one.error ** 2, other.error ** 2];
    const square = squares[0] + squares[1];
    if (square === 0) {
      return {difference, half: 0, p: difference === 0 ? 1 : 0};
    }
    const degrees = square ** 2 / (squares[0] ** 2 / (one.samples - 1) + squares[1] ** 2 / (other.samples - 1));
    return {
      difference, half: bound(degrees) * Math.sqrt(square), p: degrees > 0 ? p(difference / Math.sqrt(square), degrees) : NaN};
  }

  // Benjamini and Hochberg's q of each p; what is no number does not count.
  function rates(values) {
    const order = values.map((value, index) => [value, index]).filter(([value]) => !Number.isNaN(value))
      .sort((a, b) => b[0] - a[0]);
    const q = values.map(() => NaN);
    let least = 1;
    order.forEach(([value, index], place) => {
      least = Math.min(least, value * order.length / (order.length - place));
      q[index] = least;
    });
    return q;
  }

  return {p, bound, half, welch, rates};
})();
