// Environment variables in a Corefile: `{$NAME}` and `{%NAME%}` anywhere in a word, quoted or not (coredns/caddy
// caddyfile/parse.go, replaceEnvVars). An unset variable is empty. The value stays one word, whatever blanks it holds.

/** The variables a Corefile may name. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * A word with its variables replaced, `{%NAME%}` before `{$NAME}`. Values are not searched again: CoreDNS does search
 * them, and hangs on a variable that names itself.
 */
export function substitute(text: string, env: Environment): string {
  if (!text.includes('{')) return text
  return text.replace(/\{%(.+?)%\}|\{\$([^}]+)\}/gs, (_, percent?: string, dollar?: string) => {
    const name = percent ?? dollar ?? ''
    return (Object.hasOwn(env, name) ? env[name] : undefined) ?? ''
  })
}
