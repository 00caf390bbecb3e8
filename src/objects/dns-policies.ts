// DNSPolicy (seamark.dev): what the Pods of its own namespace may resolve, of what they may without it. What is wrong with one is
// kept with it, so that it can be said of the object.

import { createdMsOf, field, fieldAt, isJson, type Path } from './field.ts'
import { isTimeMs } from './guards.ts'
import { bareName } from './records.ts'
import { isNamespaceGlob, isSelector, selectorOfObject } from './selectors.ts'
import { type Stated, statedOf } from './stated.ts'
import { isZoneText } from './stub-domains.ts'

/** Names of one list, names of namespaces, and selectors of them by labels. */
export const POLICY_NAMES_MAX = 1000
export const POLICY_NAMESPACES_MAX = 100
export const POLICY_SELECTORS_MAX = 16

export interface SlimDnsPolicy {
  readonly namespace: string
  readonly name: string
  /** When it was made, in ms since 1970. */
  readonly createdMs: number
  /** Names outside of the cluster, with all below them, that may be resolved, and no others; undefined: all. */
  readonly names: PolicyList
  /** Namespaces beside its own, as selectors (selectors.ts). */
  readonly namespaces: PolicyList
  /** Why it cannot be followed; '' where it can. */
  readonly flaw: string
  /** What its status says; absent where it has none, as in a file. */
  readonly stated?: Stated
}

export interface PolicyList {
  /** Undefined: all; none where it is empty. */
  readonly allow: readonly string[] | undefined
  /** Not these. */
  readonly block: readonly string[]
}

type Wrong = (path: Path, text: string) => void

/** Of a DNSPolicy as the API or a file has it, whose name and namespace are good. */
export function dnsPolicyOf(
  raw: unknown,
  { namespace, name }: Pick<SlimDnsPolicy, 'namespace' | 'name'>,
  note: (path: Path, message: string) => void,
): SlimDnsPolicy {
  let flaw = ''
  const wrong: Wrong = (path, text) => {
    note(['spec', ...path], text)
    flaw ||= `spec.${path.join('.')}: ${text}`
  }
  const spec = fieldAt(raw, 'spec')
  if (!isJson(spec)) wrong([], 'a DNSPolicy needs a spec')
  const stated = statedOf(raw)
  const names = listOf(spec, 'names', isZoneText, POLICY_NAMES_MAX, 'no name', wrong)
  const byName = listOf(
    spec,
    'namespaces',
    isNamespaceGlob,
    POLICY_NAMESPACES_MAX,
    'no name of a namespace, perhaps with *',
    wrong,
  )
  const namespaces = withSelectors(byName, field(spec, 'namespaces'), wrong)
  return {
    namespace,
    name,
    createdMs: createdMsOf(raw),
    names,
    namespaces,
    flaw,
    ...(stated && { stated }),
  }
}

/** Those by name, and with them those by labels: `allowSelectors` and `blockSelectors`. */
function withSelectors({ allow, block }: PolicyList, part: unknown, wrong: Wrong): PolicyList {
  const read = (of: 'allowSelectors' | 'blockSelectors'): string[] | undefined => {
    const list = field(part, of)
    if (list === undefined) return undefined
    const at = ['namespaces', of]
    if (!Array.isArray(list)) {
      wrong(at, 'this is no list')
      return undefined
    }
    if (list.length > POLICY_SELECTORS_MAX) wrong(at, `more than ${POLICY_SELECTORS_MAX}`)
    return list.slice(0, POLICY_SELECTORS_MAX).flatMap((item, i) => {
      return selectorOfObject(item, (path, text) => wrong([...at, i, ...path], text)) ?? []
    })
  }
  const allowed = read('allowSelectors')
  return {
    allow: allow || allowed ? [...(allow ?? []), ...(allowed ?? [])] : undefined,
    block: [...block, ...(read('blockSelectors') ?? [])],
  }
}

function listOf(
  spec: unknown,
  key: 'names' | 'namespaces',
  isGood: (text: string) => boolean,
  max: number,
  what: string,
  wrong: Wrong,
): PolicyList {
  const part = field(spec, key)
  const read = (of: 'allow' | 'block'): string[] | undefined => {
    const list = field(part, of)
    if (list === undefined) return undefined
    if (!Array.isArray(list)) {
      wrong([key, of], 'this is no list')
      return undefined
    }
    if (list.length > max) wrong([key, of], `more than ${max}`)
    return list.slice(0, max).flatMap((item, i) => {
      const text = typeof item === 'string' ? bareName(item) : ''
      if (isGood(text)) return [text]
      wrong([key, of, i], `${JSON.stringify(item)?.slice(0, 80)} is ${what}`)
      return []
    })
  }
  if (part !== undefined && !isJson(part)) wrong([key], 'this has neither allow nor block')
  return { allow: read('allow'), block: read('block') ?? [] }
}

/** Such an object out of a file's value, whose name and namespace are good; undefined where it is none. */
export function checkedDnsPolicy(
  value: unknown,
  id: Pick<SlimDnsPolicy, 'namespace' | 'name'>,
): SlimDnsPolicy | undefined {
  const [createdMs, names, namespaces, flaw] = ['createdMs', 'names', 'namespaces', 'flaw'].map(key =>
    field(value, key),
  )
  const isGood =
    isTimeMs(createdMs) &&
    isListOf(names, isZoneText) &&
    isListOf(namespaces, isSelector) &&
    typeof flaw === 'string'
  if (!isGood) return undefined
  const list = ({ allow, block }: PolicyList): PolicyList => ({ allow, block })
  const { namespace, name } = id
  return { namespace, name, createdMs, names: list(names), namespaces: list(namespaces), flaw }
}

function isListOf(value: unknown, isGood: (text: string) => boolean): value is PolicyList {
  const isList = (list: unknown): boolean =>
    Array.isArray(list) &&
    list.length <= POLICY_NAMES_MAX &&
    list.every(item => typeof item === 'string' && isGood(item))
  const allow = field(value, 'allow')
  return (allow === undefined || isList(allow)) && isList(field(value, 'block'))
}
