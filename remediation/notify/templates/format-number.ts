/** Numbers as Go's strconv and fmt write them. */

/** 0.`digits` × 10^`point`. */
interface Decimal {
  readonly digits: string;
  readonly point: number;
}

/** The least digits that are the number again. */
function shortest(value: number): Decimal {
  const [, whole = '', fraction = '', exponent = '0'] =
    /^([0-9])(?:\.([0-9]+))?e([+-][0-9]+)$/.exec(value.toExponential()) ?? [];
  return { digits: whole + fraction, point: Number(exponent) + 1 };
}

/** `e`, `f` or `g` with `precision` digits, or as many as are needed when it is null. */
export function formatFloat(value: number, verb: 'e' | 'f' | 'g', precision: number | null): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value < 0 ? '-Inf' : '+Inf';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const magnitude = Math.abs(value);
  if (verb === 'e') return sign + exponential(magnitude, precision);
  if (verb === 'f') return sign + (precision === null ? plainDigits(shortest(magnitude)) : fixed(magnitude, precision));
  return sign + general(magnitude, precision);
}

/** The shorter of both forms, by Go's rule: an exponent below −4 or not below the precision, six where none is given. */
function general(magnitude: number, precision: number | null): string {
  const wanted = precision === null ? null : Math.max(precision, 1);
  const found = wanted === null ? shortest(magnitude) : trimmed(roundedDigits(exact(magnitude), wanted));
  const { digits, point } = found;
  const exponent = magnitude === 0 ? 0 : point - 1;
  const limit = wanted === null ? 6 : wanted > digits.length && digits.length >= point ? digits.length : wanted;
  return exponent < -4 || exponent >= limit ? withExponent(found, digits.length - 1) : plainDigits(found);
}

function exponential(magnitude: number, precision: number | null): string {
  if (precision === null) {
    const found = shortest(magnitude);
    return withExponent(found, found.digits.length - 1);
  }
  return withExponent(roundedDigits(exact(magnitude), precision + 1), precision);
}

function withExponent({ digits, point }: Decimal, precision: number): string {
  const exponent = /^0*$/.test(digits) ? 0 : point - 1;
  const head = digits.slice(0, 1);
  const tail = digits.slice(1).padEnd(precision, '0');
  const sign = exponent < 0 ? '-' : '+';
  return `${head}${tail === '' ? '' : '.'}${tail}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

function plainDigits({ digits, point }: Decimal): string {
  if (/^0*$/.test(digits)) return '0';
  if (point <= 0) return `0.${'0'.repeat(-point)}${digits}`;
  if (digits.length <= point) return digits.padEnd(point, '0');
  return `${digits.slice(0, point)}.${digits.slice(point)}`;
}

function fixed(magnitude: number, precision: number): string {
  const all = exact(magnitude);
  const { digits, point } = roundedDigits(all, all.point + precision);
  const whole = point <= 0 ? '0' : digits.slice(0, point).padEnd(point, '0');
  const fraction = ('0'.repeat(Math.max(-point, 0)) + digits.slice(Math.max(point, 0))).slice(0, precision);
  return precision === 0 ? whole : `${whole}.${fraction.padEnd(precision, '0')}`;
}

/** All the digits of a double: it is a whole number of powers of two, which decimals can write out. */
function exact(magnitude: number): Decimal {
  if (magnitude === 0) return { digits: '0', point: 1 };
  let places = 0;
  let scaled = magnitude;
  // Doubling is exact, and ends: no double has bits below 2^-1074.
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    places++;
  }
  const digits = (BigInt(scaled) * 5n ** BigInt(places)).toString();
  return { digits, point: digits.length - places };
}

/** The first `count` digits, a half rounded to the even neighbour. */
function roundedDigits({ digits, point }: Decimal, count: number): Decimal {
  if (count >= digits.length) return { digits, point };
  if (count < 0) return { digits: '0', point };
  const kept = digits.slice(0, count);
  const next = digits.charAt(count);
  const isTie = next === '5' && /^0*$/.test(digits.slice(count + 1));
  const up = isTie ? Number(kept.at(-1) ?? '0') % 2 === 1 : next >= '5';
  if (!up) return { digits: kept === '' ? '0' : kept, point: kept === '' ? point + 1 : point };
  const raised = (BigInt(`0${kept}`) + 1n).toString();
  if (kept === '') return { digits: '1', point: point + 1 };
  const padded = raised.padStart(kept.length, '0');
  return padded.length > kept.length ? { digits: padded.slice(0, count), point: point + 1 } : { digits: padded, point };
}

function trimmed({ digits, point }: Decimal): Decimal {
  return { digits: digits.replace(/(?<=.)0+$/, ''), point };
}
