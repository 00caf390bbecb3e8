// What can be known of a pattern by looking at it: which text every name that matches must end with. Only patterns of
// plain parts are understood (text, `.`, classes, groups, repetitions, ^ and $); of anything else nothing is known.
//
//   (.*)-(a|b)\.example\.org\.$   ends with ".example.org."       (.*)\.example\.org   may stand anywhere

/** One part of a pattern, as written. */
export interface Part {
  readonly kind: 'text' | 'any' | 'class' | 'repeat' | 'open' | 'close' | 'or' | 'start' | 'end'
  /** The character of a `text`, the sign of a `repeat`. */
  readonly text: string
  /** How deep in groups it stands: 0 outside of all. */
  readonly depth: number
}

const PARTS: readonly (readonly [kind: Part['kind'], shape: RegExp])[] = [
  ['text', /[\w\-/@=,:;!<>~#%&"' ]/y],
  ['text', /\\[^a-z0-9]/iy],
  ['any', /\./y],
  ['class', /\\[dDsSwW]/y],
  ['class', /\[\^?\]?(?:\\.|[^\\\][])*\]/y],
  ['open', /\((?:\?:)?(?!\?)/y],
  ['close', /\)/y],
  ['or', /\|/y],
  ['repeat', /(?:[*+?]|\{\d+(?:,\d*)?\})\??/y],
  ['start', /\^/y],
  ['end', /\$/y],
]

/** The parts of a good pattern; undefined where one is not understood. */
export function readParts(pattern: string): readonly Part[] | undefined {
  const parts: Part[] = []
  let depth = 0
  for (let at = 0; at < pattern.length; ) {
    const found = partAt(pattern, at)
    if (found === undefined) return undefined
    const [kind, written] = found
    if (kind === 'close') depth--
    parts.push({ kind, text: kind === 'text' ? written.slice(-1) : written, depth })
    if (kind === 'open') depth++
    at += written.length
  }
  return parts
}

function partAt(pattern: string, at: number): readonly [Part['kind'], string] | undefined {
  for (const [kind, shape] of PARTS) {
    shape.lastIndex = at
    const match = shape.exec(pattern)
    if (match !== null) return [kind, match[0]]
  }
  return undefined
}

/** How a pattern ends. */
export interface Ending {
  /** The text that stands last in the pattern; '' where something else does. */
  readonly text: string
  /** Whether the name must end there (`$`). */
  readonly anchored: boolean
}

/** How a pattern ends; undefined where that cannot be seen. A final `\.?$` is a dot: every name ends with one. */
export function endingOf(pattern: string): Ending | undefined {
  const parts = readParts(pattern)
  if (parts === undefined || parts.some(({ kind, depth }) => kind === 'or' && depth === 0)) return undefined
  const anchored = parts.at(-1)?.kind === 'end'
  let rest = anchored ? parts.slice(0, -1) : parts
  let dot = ''
  const [before, last, sign] = rest.slice(-3)
  if (anchored && isText(before) && before.text !== '.' && isDot(last) && sign?.text === '?') {
    rest = rest.slice(0, -2)
    dot = '.'
  }
  const plain = rest.slice(rest.findLastIndex(part => !isText(part)) + 1)
  return { text: plain.map(({ text }) => text).join('') + dot, anchored }
}

const isText = (part: Part | undefined): part is Part => part?.kind === 'text' && part.depth === 0
const isDot = (part: Part | undefined): boolean => isText(part) && part.text === '.'
