/** The growth chart of `bench waf`: one panel for each body format, both axes logarithmic, one line for each peer; as SVG. */
import { summarise } from '../report.ts';
import { bodyFormats } from './body-requests.ts';
import type { GrowthFigures } from './waf.ts';

const panel = { width: 260, height: 220, left: 58, top: 34, gap: 70 };
const colours = ['#b3261e', '#b26a00', '#1a5fb4', '#555555'];

/** A whole document. Throws on none. */
export function drawGrowth(growth: readonly GrowthFigures[]): string {
  const names = [...new Set(growth.map((one) => one.name))];
  const formats = bodyFormats.filter((format) => growth.some((one) => one.format === format));
  const costs = growth.map((one) => summarise(one.figures.cpuUs).median);
  const x = axis(
    growth.map((one) => one.bytes),
    panel.width,
  );
  const y = axis(costs, panel.height);
  const width = panel.left + formats.length * (panel.width + panel.gap);
  const height = panel.top + panel.height + 66;
  const panels = formats.map((format, index) => {
    const left = panel.left + index * (panel.width + panel.gap);
    const lines = names.map((name, at) => {
      const points = growth
        .filter((one) => one.format === format && one.name === name)
        .map(
          (one) =>
            `${x.place(one.bytes).toFixed(1)},${(panel.height - y.place(summarise(one.figures.cpuUs).median)).toFixed(1)}`,
        );
      return `<polyline fill="none" stroke="${colours[at % colours.length]}" stroke-width="2" points="${points.join(' ')}"/>`;
    });
    const title = `<text x="${panel.width / 2}" y="-12" text-anchor="middle" font-weight="bold">${format}</text>`;
    return `<g transform="translate(${left},${panel.top})">${title}${grid(x, y)}${lines.join('')}</g>`;
  });
  const legend = names.map((name, at) => {
    const left = panel.left + at * 190;
    return `<g transform="translate(${left},${height - 14})"><rect width="18" height="4" y="-6" fill="${colours[at % colours.length]}"/><text x="24">${name}</text></g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="#ffffff"/>
${panels.join('\n')}
${legend.join('\n')}
</svg>
`;
}

interface Axis {
  /** The powers of ten from below the smallest value to above the largest. */
  readonly marks: readonly number[];
  place(value: number): number;
}

function axis(values: readonly number[], length: number): Axis {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  const marks = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index));
  return { marks, place: (value) => ((Math.log10(value) - low) / (high - low)) * length };
}

function grid(x: Axis, y: Axis): string {
  const columns = x.marks.map((bytes) => {
    const at = x.place(bytes);
    return `<path d="M${at} 0V${panel.height}" stroke="#dddddd"/><text x="${at}" y="${panel.height + 16}" text-anchor="middle">${bytes / 1000} KB</text>`;
  });
  const rows = y.marks.map((cost) => {
    const at = panel.height - y.place(cost);
    return `<path d="M0 ${at}H${panel.width}" stroke="#dddddd"/><text x="-6" y="${at + 4}" text-anchor="end">${cost >= 1000 ? `${cost / 1000} ms` : `${cost} µs`}</text>`;
  });
  return columns.join('') + rows.join('');
}
