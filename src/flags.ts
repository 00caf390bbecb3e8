// The command line, as CoreDNS has it (docs/coredns.md 2.5): one or two dashes, values behind `=` or as the next word.
//
//   seamark [-conf FILE] [-dns.port N | -p N] [-last-good FILE] [-overlap] [-pidfile FILE] [-plugins] [-quiet]
//           [-version]
//   seamark check [--json] [--offline] [FILE|-]

/** What was asked for. */
export type Command =
  | {
      readonly command: 'serve'
      /** The Corefile, `stdin`, or '' for ./Corefile. */
      readonly conf: string
      readonly port: number
      readonly pidfile: string
      /** Where the configuration that was served last is kept; '' for nowhere. */
      readonly lastGood: string
      /** Whether another server of this user may have the same ports: both answer until one ends. */
      readonly overlap: boolean
      readonly quiet: boolean
    }
  | {
      readonly command: 'check'
      /** `-` for standard input, '' for ./Corefile. */
      readonly file: string
      readonly json: boolean
      readonly offline: boolean
      readonly port: number
    }
  | { readonly command: 'version' | 'plugins' | 'help' }
  /** One line that says what is wrong. */
  | { readonly command: 'error'; readonly message: string }

const DEFAULT_PORT = 53

export const USAGE = `usage: seamark [-conf FILE] [-dns.port PORT | -p PORT] [-last-good FILE] [-overlap] [-pidfile FILE] [-quiet] [-plugins] [-version]
       seamark check [--json] [--offline] [-p PORT] [FILE|-]

  -conf FILE     the Corefile to serve, or stdin; ./Corefile unless given
  -dns.port, -p  the port of server blocks that name none (53)
  -last-good FILE  keep the configuration that is served in FILE, and serve it after a restart with a broken one
  -overlap       start beside another server of this user on the same ports, as a rolling replacement does; both answer until one ends
  -pidfile FILE  where to write the process id
  -quiet         print warnings and errors only
  -plugins       list the directives that are served
  -version       print the version
  check          read a Corefile, or a manifest with ConfigMaps, say everything that is wrong or surprising, serve nothing
  --offline      files and hosts that are not known here are no errors: the machine that serves may have them
`

const SWITCHES = new Set(['quiet', 'version', 'plugins', 'help', 'h', 'json', 'offline', 'overlap'])
const VALUES = new Set(['conf', 'dns.port', 'p', 'pidfile', 'last-good'])

/** Reads the arguments behind the program's name. Never throws. */
export function parseFlags(args: readonly string[]): Command {
  const flags = new Map<string, string>()
  const words: string[] = []
  for (let i = 0; i < args.length; i++) {
    const match = /^--?([a-z][a-z.-]*)(?:=(.*))?$/s.exec(args[i]!)
    if (!match) {
      words.push(args[i]!)
      continue
    }
    const flag = match[1]!
    if (SWITCHES.has(flag)) flags.set(flag, match[2] ?? 'true')
    else if (!VALUES.has(flag))
      return wrong(`unknown flag ${args[i]} (known: ${[...VALUES, ...SWITCHES].join(', ')})`)
    else {
      const value = match[2] ?? args[++i]
      if (value === undefined) return wrong(`the flag -${flag} needs a value`)
      flags.set(flag, value)
    }
  }
  const port = Number(flags.get('p') ?? flags.get('dns.port') ?? DEFAULT_PORT)
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    return wrong(`the port ${flags.get('p') ?? flags.get('dns.port')} is not a number from 1 to 65535`)
  }
  if (flags.has('help') || flags.has('h')) return { command: 'help' }
  if (flags.has('version')) return { command: 'version' }
  if (flags.has('plugins')) return { command: 'plugins' }
  const conf = flags.get('conf') ?? ''
  if (words[0] === 'check') {
    if (words.length > 2) return wrong(`check takes one file, not ${words.slice(1).join(' ')}`)
    const [json, offline] = [flags.has('json'), flags.has('offline')]
    return { command: 'check', file: words[1] ?? conf, json, offline, port }
  }
  if (words.length > 0) return wrong(`extra arguments: ${words.join(' ')}`)
  return {
    command: 'serve',
    conf,
    port,
    pidfile: flags.get('pidfile') ?? '',
    lastGood: flags.get('last-good') ?? '',
    overlap: flags.has('overlap'),
    quiet: flags.has('quiet'),
  }
}

const wrong = (message: string): Command => ({ command: 'error', message })
