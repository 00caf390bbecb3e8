// $GENERATE, as BIND writes it: one record for each number of a range, the number put in where its fields have a $.
//
//   $GENERATE 1-20/2 host-$ A 10.0.0.$
//   $GENERATE 0-255 ${0,3,d} PTR host-${-1,2,x}     ${offset,width,base}, base d, o, x or X; $$ and \$ are a dollar sign

/** Numbers of one range. */
export const GENERATE_STEPS_MAX = 65_536
const WIDTH_MAX = 255
const NUMBER_MAX = 2 ** 31 - 1

/** The numbers from `start` to `stop` in steps. */
export interface Range {
  readonly start: number
  readonly stop: number
  readonly step: number
}

/** Reads START-STOP[/STEP]; a text that tells what is wrong. */
export function parseRange(text: string): Range | string {
  const [, first = '', last = '', by = '1'] = /^(\d{1,10})-(\d{1,10})(?:\/(\d{1,10}))?$/.exec(text) ?? []
  const [start, stop, step] = [Number(first), Number(last), Number(by)]
  if (first === '') return 'this is not a range such as 1-20 or 0-100/2'
  if (step === 0 || stop < start || stop > NUMBER_MAX) return 'this range has no numbers'
  const steps = Math.floor((stop - start) / step) + 1
  return steps > GENERATE_STEPS_MAX
    ? `a range of ${steps} numbers; the longest has ${GENERATE_STEPS_MAX}`
    : { start, stop, step }
}

/** Makes the text for a number. */
export type Template = (number: number) => string

/** Reads a field with its dollar signs, for the numbers of a range; a text that tells what is wrong. */
export function parseTemplate(text: string, range: Range): Template | string {
  const parts: Template[] = []
  for (const [piece] of text.matchAll(/\\\$|\\.|\$\$|\$\{[^}]*\}|\$|[^\\$]+|\\/gs)) {
    if (piece === '\\$' || piece === '$$') parts.push(() => '$')
    else if (piece === '$') parts.push(String)
    else if (piece.startsWith('${')) {
      const modified = parseModifier(piece.slice(2, -1), range)
      if (typeof modified === 'string') return modified
      parts.push(modified)
    } else parts.push(() => piece)
  }
  return number => parts.map(part => part(number)).join('')
}

const RADIX: Readonly<Record<string, number>> = { d: 10, o: 8, x: 16, X: 16 }

function parseModifier(text: string, { start, stop }: Range): Template | string {
  const match = /^(-?\d{1,10})(?:,(\d{1,3})(?:,([doxX]))?)?$/.exec(text)
  if (!match) return 'this is not {OFFSET[,WIDTH[,d|o|x|X]]}'
  const [, offsetText = '0', widthText = '0', base = 'd'] = match
  const offset = Number(offsetText)
  const width = Number(widthText)
  if (start + offset < 0 || stop + offset > NUMBER_MAX) return 'this offset leads below 0 or too high'
  if (width > WIDTH_MAX) return `a width of more than ${WIDTH_MAX}`
  return number => {
    const digits = (number + offset).toString(RADIX[base]).padStart(width, '0')
    return base === 'X' ? digits.toUpperCase() : digits
  }
}
