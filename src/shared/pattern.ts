// Regular expressions of RE2 (https://github.com/google/re2/wiki/Syntax) whose time is linear in the text. re2js runs any of
// them, at 200 ns for each character. Most that people write are plain, and run in V8 at a fraction of that: it takes back
// what it tried, so only those are given to it that leave it next to nothing to take back:
//
//   ^a-([0-9]+)-b[.]$     what may repeat cannot be what comes behind it
//   ^(.*)[.]example[.]$   or one thing alone may be, and what comes behind it has one length
//
// Plain is what is made of characters, escapes of punctuation, \d \w . [a-z_] with + * ? {2} and groups that do not repeat,
// without alternatives. Both give the same groups for these: the leftmost match, as greedy as it is written.

import { lazy } from './lazy.ts'

/** A compiled expression. */
export interface Pattern {
  /** Groups without the whole. */
  readonly groupCount: number
  /** Groups that have a name, by their numbers. */
  readonly names: Readonly<Record<string, number>>
  /** Whether it is found in the text. */
  test(text: string): boolean
  /** What its groups hold where it is found first, the whole before them; undefined where it is not found. */
  find(text: string): readonly (string | undefined)[] | undefined
}

/** Compiles an expression that re2js takes; another throws its error. */
export function compilePattern(pattern: string, anyCase = false): Pattern {
  return plainPattern(pattern, anyCase) ?? re2Pattern(pattern, anyCase)
}

function re2Pattern(pattern: string, anyCase: boolean): Pattern {
  const { RE2JS } = lazy.re2js
  const compiled = RE2JS.compile(pattern, anyCase ? RE2JS.CASE_INSENSITIVE : 0)
  const groupCount = compiled.groupCount()
  return {
    groupCount,
    names: compiled.namedGroups(),
    test: text => compiled.test(text),
    find(text) {
      const matcher = compiled.matcher(text)
      if (!matcher.find()) return undefined
      return Array.from({ length: groupCount + 1 }, (_, i) => matcher.group(i) ?? undefined)
    },
  }
}

/** The expression for V8; undefined where it is not plain, or could take long. */
export function plainPattern(pattern: string, anyCase: boolean): Pattern | undefined {
  const read = new Reader(pattern, anyCase).read()
  if (read === undefined || !isLinear(read)) return undefined
  const { names, groupCount, source, anchored, atoms } = read
  // Nothing is found later that is not found from the beginning.
  const begins = anchored || atoms[0]?.isAny !== true ? '' : '^'
  const compiled = new RegExp(begins + source, anyCase ? 'i' : '')
  return {
    groupCount,
    names,
    test: text => compiled.test(text),
    find: text => compiled.exec(text) ?? undefined,
  }
}

/** Characters behind something that takes back, so that a text costs no more than this for each of its own. */
const TAIL_MAX = 256

/** One character class with how often it may stand. */
interface Atom {
  /** Whether it is `.*`, which begins wherever a match could. */
  readonly isAny: boolean
  /** Of Latin-1; the last one stands for all others. */
  readonly set: Uint8Array
  readonly least: number
  readonly most: number
}

interface Plain {
  readonly atoms: readonly Atom[]
  /** Whether it begins with ^. */
  readonly anchored: boolean
  readonly source: string
  readonly groupCount: number
  readonly names: Readonly<Record<string, number>>
}

/** Whether nothing in it takes back, or one thing does in front of a tail of one length. */
function isLinear({ atoms, anchored }: Plain): boolean {
  let takesBack = anchored || atoms[0]?.isAny === true ? -1 : 0
  for (let i = 0; i < atoms.length; i++) {
    if (atoms[i]!.least === atoms[i]!.most || !clashes(atoms, i)) continue
    if (takesBack >= 0) return false
    takesBack = i + 1
  }
  if (takesBack < 0) return true
  const tail = atoms.slice(takesBack)
  const octets = tail.reduce((sum, { least }) => sum + least, 0)
  return octets <= TAIL_MAX && tail.every(({ least, most }) => least === most)
}

/** Whether what may repeat there may also be what comes behind it. */
function clashes(atoms: readonly Atom[], at: number): boolean {
  const { set } = atoms[at]!
  for (let i = at + 1; i < atoms.length; i++) {
    const behind = atoms[i]!
    if (behind.set.some((has, code) => has === 1 && set[code] === 1)) return true
    if (behind.least > 0) return false
  }
  return false
}

const OTHERS = 256
const setOf = (has: (code: number) => boolean): Uint8Array =>
  Uint8Array.from({ length: OTHERS + 1 }, (_, code) => (has(code) ? 1 : 0))
const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39
const isWord = (code: number): boolean =>
  isDigit(code) || (code >= 0x41 && code <= 0x5a) || code === 0x5f || (code >= 0x61 && code <= 0x7a)
const ANY = setOf(code => code !== 0x0a)
const DIGITS = setOf(isDigit)
const WORDS = setOf(isWord)

/** Reads a plain expression; whatever else there is ends it. */
class Reader {
  readonly #pattern: string
  readonly #anyCase: boolean
  readonly #atoms: Atom[] = []
  readonly #names: Record<string, number> = {}
  #at = 0
  #groups = 0
  #open = 0
  #source = ''
  /** Whether there is something in it that is not plain. */
  #isOther = false

  constructor(pattern: string, anyCase: boolean) {
    this.#pattern = pattern
    this.#anyCase = anyCase
  }

  read(): Plain | undefined {
    const anchored = this.#take(/\^/y) !== undefined
    while (this.#part());
    this.#take(/\$/y)
    if (this.#isOther || this.#at < this.#pattern.length || this.#open > 0) return undefined
    return {
      atoms: this.#atoms,
      anchored,
      source: this.#source,
      groupCount: this.#groups,
      names: this.#names,
    }
  }

  /** Takes what stands next, if it is of that shape, into the source. */
  #take(shape: RegExp, instead?: (match: RegExpExecArray) => string): RegExpExecArray | undefined {
    shape.lastIndex = this.#at
    const match = shape.exec(this.#pattern)
    if (match === null) return undefined
    this.#at += match[0].length
    this.#source += instead?.(match) ?? match[0]
    return match
  }

  #part(): boolean {
    const group = this.#take(/\((?:\?(?::|P?<([A-Za-z]\w*)>))?(?!\?)/y, ([text, name]) =>
      name === undefined ? text : `(?<${name}>`,
    )
    if (group !== undefined) {
      this.#open++
      if (group[0] === '(?:') return true
      this.#groups++
      if (group[1] !== undefined) this.#names[group[1]] = this.#groups
      return true
    }
    if (this.#take(/\)(?![+*?{])/y) !== undefined) return --this.#open >= 0
    const set = this.#set()
    if (set === undefined) return false
    const [, sign, least, comma, most] = this.#take(/(?:([+*?])|\{(\d{1,3})(,)?(\d{1,3})?\})\??/y) ?? []
    const range: readonly [number, number] =
      sign === '+' ? [1, Infinity]
      : sign === '*' ? [0, Infinity]
      : sign === '?' ? [0, 1]
      : least === undefined ? [1, 1]
      : [Number(least), comma === undefined ? Number(least) : most === undefined ? Infinity : Number(most)] // biome-ignore format: a table
    const isAny = set === ANY && sign === '*'
    this.#atoms.push({ isAny, set: this.#anyCase ? anyCaseOf(set) : set, least: range[0], most: range[1] })
    return true
  }

  /** One character, or a class of them. */
  #set(): Uint8Array | undefined {
    if (this.#take(/\./y) !== undefined) return ANY
    const plain = this.#take(/[\w\-/@,=:;!<>~#%&"' ]|\\([!-/:-@[-`{-~])/y)
    if (plain !== undefined) {
      const code = (plain[1] ?? plain[0]).charCodeAt(0)
      return setOf(each => each === code)
    }
    const named = this.#take(/\\([dw])/y)
    if (named !== undefined) return named[1] === 'd' ? DIGITS : WORDS
    const listed = this.#take(/\[(\^?)((?:[^\\\][^-]|\\[!-/:-@[-`{-~]|\\[dw]|\w-\w)+-?)\]/y)
    if (listed === undefined) return undefined
    const items = listed[2]!.match(/\w-\w|\\.|[^\\]/gs)!.map(itemSet)
    if (items.includes(undefined)) {
      this.#isOther = true
      return undefined
    }
    const negated = listed[1] === '^'
    return setOf(code => items.some(item => item![code] === 1) !== negated)
  }
}

/** What one item of a class stands for. */
function itemSet(item: string): Uint8Array | undefined {
  if (item === '\\d') return DIGITS
  if (item === '\\w') return WORDS
  const [first, last] = item.length === 3 ? [item[0]!, item[2]!] : [item.at(-1)!, item.at(-1)!]
  const [from, to] = [first.charCodeAt(0), last.charCodeAt(0)]
  return from > to || to > 0x7e ? undefined : setOf(code => code >= from && code <= to)
}

/** The set with the other case of each of its letters. */
const anyCaseOf = (set: Uint8Array): Uint8Array =>
  setOf(code => {
    const other = isWord(code) && !isDigit(code) && code !== 0x5f ? code ^ 0x20 : code
    return set[code] === 1 || set[other] === 1
  })
