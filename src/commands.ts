// The commands of `seamark` and their options: one table, which the command line is read by (flags.ts), and which the help, the
// man page (help.ts) and the completions of shells (completions.ts) are written from. A new command is a row here, a type in
// `Command`, and a case in main.ts.

import { LOG_FORMS, type LogForm } from './observe/json-line.ts'

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
      readonly logForm: LogForm
    }
  | {
      readonly command: 'check'
      /** `-` for standard input, '' for ./Corefile. */
      readonly file: string
      readonly json: boolean
      readonly offline: boolean
      readonly port: number
    }
  | { readonly command: 'version' | 'plugins' }
  /** About which command; '' for all. */
  | { readonly command: 'help'; readonly about: string }
  | { readonly command: 'completion'; readonly shell: Shell }
  /** One line that says what is wrong. */
  | { readonly command: 'error'; readonly message: string }

/** Shells that completions are written for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** An option of a command, as the help tells it. */
export interface Option {
  /** Without dashes: `conf`. */
  readonly name: string
  /** Another name for it: `p` of `dns.port`. */
  readonly also?: string
  /** What its value is called, `FILE`; a switch has none. An option has one in all commands or in none. */
  readonly value?: string
  /** The values that are allowed, or what kind of thing it names. */
  readonly values?: readonly string[] | 'file' | 'folder'
  /** One phrase, without a full stop. */
  readonly about: string
}

/** What the command line gives to a command. */
export interface Given {
  /** What is no option, behind the command's name. */
  readonly words: readonly string[]
  /** The value of an option, '' where it is not there. */
  text(name: string): string
  has(name: string): boolean
  /** That of -dns.port or -p. */
  readonly port: number
}

/** A command: a row of the table. */
export interface CommandRow {
  /** '' for the server itself. */
  readonly name: string
  /** What stands behind the options: `[FILE|-]`. */
  readonly operands: string
  /** What completes there. */
  readonly completes?: readonly string[] | 'file' | 'folder'
  /** One phrase, for the list of commands. */
  readonly about: string
  /** What else a person wants to know about it: whole sentences, each paragraph a line. */
  readonly more?: readonly string[]
  /** Command lines that work, each with what it does. */
  readonly examples: readonly (readonly [line: string, does: string])[]
  readonly options: readonly Option[]
  /** What is asked for; a text is what is wrong. */
  read(given: Given): Command | string
}

const CONF: Option = {
  name: 'conf',
  value: 'FILE',
  values: 'file',
  about: 'the Corefile, or stdin; ./Corefile unless given',
}
const PORT: Option = {
  name: 'dns.port',
  also: 'p',
  value: 'PORT',
  about: 'the port of server blocks that name none; 53 unless given',
}

/** Every command has it. */
export const HELP: Option = { name: 'help', also: 'h', about: 'print this and end' }

export const COMMANDS: readonly CommandRow[] = [
  {
    name: '',
    operands: '',
    about: 'serve a Corefile',
    more: [
      'SIGTERM ends it after the lameduck time of the plugin health, SIGINT at once; SIGUSR1 reads the Corefile again.',
      'Options have one dash or two, and their value behind a space or an equals sign.',
    ],
    examples: [
      ['seamark -conf /etc/coredns/Corefile', 'serves as CoreDNS does'],
      ['seamark -p 1053', 'serves ./Corefile, on port 1053 where it names no port'],
    ],
    options: [
      CONF,
      PORT,
      {
        name: 'last-good',
        value: 'FILE',
        values: 'file',
        about:
          'keep the configuration that is served in FILE, and serve it after a restart with a broken one',
      },
      {
        name: 'log-format',
        value: 'FORM',
        values: LOG_FORMS,
        about: 'lines of text, as CoreDNS writes them, or a JSON object a line; text unless given',
      },
      {
        name: 'overlap',
        about:
          'start beside another server of this user on the same ports, as a rolling replacement does; both answer until one ends',
      },
      { name: 'pidfile', value: 'FILE', values: 'file', about: 'where to write the process id' },
      { name: 'quiet', about: 'print warnings and errors only' },
      { name: 'plugins', about: 'list the directives that are served' },
      { name: 'version', about: 'print the version' },
    ],
    read({ words, text, has, port }) {
      if (has('version')) return { command: 'version' }
      if (has('plugins')) return { command: 'plugins' }
      if (words.length > 0) return `extra arguments: ${words.join(' ')}`
      return {
        command: 'serve',
        conf: text('conf'),
        port,
        pidfile: text('pidfile'),
        lastGood: text('last-good'),
        overlap: has('overlap'),
        quiet: has('quiet'),
        logForm: LOG_FORMS.find(form => form === text('log-format')) ?? 'text',
      }
    },
  },
  {
    name: 'check',
    operands: '[FILE|-]',
    completes: 'file',
    about: 'say everything that is wrong or surprising in a Corefile, serve nothing',
    more: [
      'FILE is a Corefile or a manifest with ConfigMaps, - is standard input; ./Corefile unless given. The exit status is 1 where there is an error.',
    ],
    examples: [
      ['seamark check Corefile', 'says what is wrong, with line and column'],
      [
        'kubectl -n kube-system get configmap coredns -o yaml | seamark check --offline -',
        "checks a cluster's",
      ],
    ],
    options: [
      { name: 'json', about: 'print JSON' },
      {
        name: 'offline',
        about: 'files and hosts that are not known here are no errors: the machine that serves may have them',
      },
      CONF,
      PORT,
    ],
    read({ words, text, has, port }) {
      if (words.length > 1) return `check takes one file, not ${words.join(' ')}`
      const [json, offline] = [has('json'), has('offline')]
      return { command: 'check', file: words[0] ?? text('conf'), json, offline, port }
    },
  },
  {
    name: 'completion',
    operands: SHELLS.join('|'),
    completes: SHELLS,
    about: 'print completions of commands and options for a shell',
    examples: [
      ['source <(seamark completion bash)', 'in ~/.bashrc'],
      ['source <(seamark completion zsh)', 'in ~/.zshrc, behind compinit'],
      ['seamark completion fish | source', 'in ~/.config/fish/config.fish'],
    ],
    options: [],
    read({ words }) {
      const shell = SHELLS.find(each => each === words[0])
      if (shell === undefined || words.length > 1)
        return `completion takes one of ${SHELLS.join(', ')}${words.length > 0 ? `, not ${words.join(' ')}` : ''}`
      return { command: 'completion', shell }
    },
  },
]
