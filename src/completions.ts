// `seamark completion SHELL`: what a shell completes, out of the table of commands. The script asks the program for nothing:
// a word completes as fast as the shell is.

import type { CommandRow, Option, Shell } from './command.ts'
import { COMMANDS, HELP } from './commands.ts'

const SUBCOMMANDS = COMMANDS.filter(({ name }) => name !== '')
const namesOf = ({ name, also }: Option): string[] => (also === undefined ? [name] : [name, also])
const optionsOf = (row: CommandRow): readonly Option[] => [...row.options, HELP]

/** The script for a shell. */
export function completionScript(shell: Shell): string {
  return { bash, zsh, fish }[shell]()
}

/** What bash's compgen offers for a value or an operand. */
function compgen(values: Option['values']): string {
  if (values === 'file') return '-f'
  if (values === 'folder') return '-d'
  return values === undefined ? '' : `-W '${values.join(' ')}'`
}

function bash(): string {
  const cases = COMMANDS.map(row => {
    const valued = optionsOf(row).filter(({ value }) => value !== undefined)
    const values = valued.map(
      option =>
        `      ${namesOf(option)
          .flatMap(name => [`-${name}`, `--${name}`])
          .join('|')}) reply ${compgen(option.values)}; return ;;\n`,
    )
    const words = optionsOf(row).flatMap(option => namesOf(option).map(name => `-${name}`))
    const operands =
      row.name === '' ? `-W '${SUBCOMMANDS.map(({ name }) => name).join(' ')}'` : compgen(row.completes)
    return `  ${row.name === '' ? "''" : row.name})
    case $before in
${values.join('')}    esac
    case $word in
      -*) reply -W '${words.join(' ')}' ;;
      *) reply ${operands} ;;
    esac ;;
`
  })
  return `# Completions of seamark for bash: source <(seamark completion bash)
_seamark() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command='' each
  reply() {
    COMPREPLY=()
    case $1 in -f | -d) compopt -o filenames 2>/dev/null ;; esac
    [ $# -eq 0 ] || mapfile -t COMPREPLY < <(compgen "$@" -- "$word")
  }
  for each in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $each in ${SUBCOMMANDS.map(({ name }) => name).join('|')}) command=$each; break ;; esac
  done
  case $command in
${cases.join('')}  esac
}
complete -F _seamark seamark
`
}

/** A text in single quotes of zsh and fish. */
const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "'\\''")}'`

function zsh(): string {
  const action = (values: Option['values']): string => {
    if (values === 'file') return '_files'
    if (values === 'folder') return '_files -/'
    return values === undefined ? ' ' : `(${values.join(' ')})`
  }
  const escaped = (text: string): string => text.replaceAll(/[\\[\]]/g, '\\$&')
  const specs = (row: CommandRow): string[] =>
    optionsOf(row).flatMap(option =>
      namesOf(option).map(name => {
        const value = option.value === undefined ? '' : `:${option.value}:${action(option.values)}`
        return quoted(`-${name}[${escaped(option.about)}]${value}`)
      }),
    )
  const cases = SUBCOMMANDS.map(row => {
    const operand = row.completes === undefined ? [] : [quoted(`*:operand:${action(row.completes)}`)]
    return `    ${row.name}) _arguments ${[...specs(row), ...operand].join(' ')} ;;\n`
  })
  const list = SUBCOMMANDS.map(({ name, about }) => quoted(`${name}:${about.replaceAll(':', '\\:')}`))
  return `#compdef seamark
# Completions of seamark for zsh: source <(seamark completion zsh)
_seamark() {
  local -a commands
  local command=\${words[(r)(${SUBCOMMANDS.map(({ name }) => name).join('|')})]}
  commands=(${list.join(' ')})
  case $command in
${cases.join('')}    *) _arguments ${specs(COMMANDS[0]!).join(' ')} '1:command:{_describe command commands}' ;;
  esac
}
if [ "$funcstack[1]" = _seamark ]; then _seamark "$@"; else compdef _seamark seamark; fi
`
}

function fish(): string {
  const values = (of: Option['values']): string => {
    if (of === 'file') return ' -F'
    if (of === 'folder') return " -a '(__fish_complete_directories)'"
    return typeof of === 'object' ? ` -a ${quoted(of.join(' '))}` : ''
  }
  const names = SUBCOMMANDS.map(({ name }) => name).join(' ')
  const lines = COMMANDS.flatMap(row => {
    const where =
      row.name === '' ? `not __fish_seen_subcommand_from ${names}` : `__fish_seen_subcommand_from ${row.name}`
    const begin = `complete -c seamark -n ${quoted(where)}`
    const options = optionsOf(row).flatMap(option =>
      namesOf(option).map(name => {
        const value = option.value === undefined ? '' : ` -x${values(option.values)}`
        return `${begin} -o ${name} -d ${quoted(option.about)}${value.replace(' -x -F', ' -r -F')}`
      }),
    )
    const operands =
      row.name === ''
        ? SUBCOMMANDS.map(({ name, about }) => `${begin} -a ${name} -d ${quoted(about)}`)
        : row.completes === undefined
          ? []
          : [`${begin}${values(row.completes)}`]
    return [...options, ...operands]
  })
  return `# Completions of seamark for fish: seamark completion fish | source
complete -c seamark -f
${lines.join('\n')}
`
}
