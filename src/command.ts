// What a command of `seamark` is: what may be asked for, and the shape of a row in the table of all (commands.ts).

import type { NodeCacheOptions } from './nodecache/options.ts'
import type { LogForm } from './observe/json-line.ts'

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
      /** Whether the operator hears of faults by Events on the Pod. */
      readonly events: boolean
      readonly quiet: boolean
      readonly logForm: LogForm
      /** The cache of a node, whose Corefile is made of a template; `conf` says nothing then. */
      readonly nodeCache?: NodeCacheOptions
    }
  | {
      readonly command: 'check'
      /** `-` for standard input, '' for ./Corefile. */
      readonly file: string
      readonly json: boolean
      readonly offline: boolean
      readonly port: number
    }
  | {
      readonly command: 'tap'
      /** What is to be seen, by the names that the server has for it; '' is anything. */
      readonly filter: Readonly<Record<string, string>>
      readonly server: string
      /** Lines after which it ends; 0 for no end. */
      readonly count: number
      readonly json: boolean
    }
  | {
      readonly command: 'explain'
      readonly name: string
      /** A record type, '' for A. */
      readonly type: string
      /** NAMESPACE/POD, an address, or ''. */
      readonly from: string
      /** Where a server answers commands, or ''. */
      readonly server: string
      /** The Corefile, `stdin`, or '' for a server that runs here, else ./Corefile. */
      readonly conf: string
      readonly port: number
      readonly json: boolean
    }
  | {
      readonly command: 'diff'
      /** The server whose answers are judged, and the one that they are compared with. */
      readonly here: ServerAddress
      readonly there: ServerAddress
      /** A query log, a list, a file of dnstap, a folder of manifests, `-` for standard input. */
      readonly of: string
      readonly zone: string
      readonly most: number
      readonly timeoutMs: number
      readonly json: boolean
    }
  | { readonly command: 'version' | 'plugins' }
  /** About which command; '' for all. */
  | { readonly command: 'help'; readonly about: string }
  | { readonly command: 'completion'; readonly shell: Shell }
  /** One line that says what is wrong. */
  | { readonly command: 'error'; readonly message: string }

/** Where a server listens. */
export interface ServerAddress {
  readonly host: string
  readonly port: number
}

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
  /** An option that stands for the name where no name is given. */
  readonly sign?: string
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
