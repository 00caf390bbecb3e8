// Tables in Markdown, aligned so that they are read as easily in a terminal.

/** A table; `head` and every row have the same number of cells. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, at) => Math.max(cell.length, ...rows.map(row => row[at]!.length)))
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at]!)).join(' | ')} |`
  return [line(head), `| ${widths.map(width => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join(
    '\n',
  )
}

/** A figure with as many digits as one believes: 1234, 123, 12.3, 1.23; – for none. */
export function figure(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '–'
  const size = Math.abs(value)
  if (size > 0 && size < 0.01) return '< 0.01'
  if (size >= 100 || value === 0) return Math.round(value).toLocaleString('en')
  return value.toFixed(size >= 10 ? 1 : 2)
}

/** yes, no, or – where nothing was promised or it could not be measured. */
export const yesNo = (met: boolean | undefined): string => (met === undefined ? '–' : met ? 'yes' : 'NO')
