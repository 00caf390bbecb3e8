// Environment variables in a Corefile: `{$NAME}` and `{%NAME%}` anywhere in a word, quoted or not (coredns/caddy
// caddyfile/parse.go, replaceEnvVars). An unset variable is empty. The value stays one word, whatever blanks it holds.

/** The variables a Corefile may name. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * A word with its variables replaced, from left to right. Values are not searched again: CoreDNS does search them, and
 * hangs on a variable that names itself.
 */
export function substitute(text: string, env: Environment): string {
  let replaced = ''
  let copied = 0
  let percent = true
  // Not a regular expression: those that fit take quadratic time on a long row of `{$`.
  for (let at = text.indexOf('{'); at !== -1; at = text.indexOf('{', at + 1)) {
    const sign = text[at + 1]
    if (sign !== '$' && (sign !== '%' || !percent)) continue
    const end = text.indexOf(sign === '$' ? '}' : '%}', at + 2)
    if (end === -1) {
      // Without a brace no variable can follow, without `%}` none of this kind.
      if (sign === '$') break
      percent = false
    }
    if (end === -1 || end === at + 2) continue
    const name = text.slice(at + 2, end)
    replaced += text.slice(copied, at) + ((Object.hasOwn(env, name) ? env[name] : undefined) ?? '')
    copied = end + (sign === '$' ? 1 : 2)
    at = copied - 1
  }
  return replaced + text.slice(copied)
}
