// Completions in the shells themselves: what they offer behind words that somebody has typed.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { SHELLS, type Shell } from '../src/command.ts'
import { completionScript } from '../src/completions.ts'
import { run } from './packaging/bundle.ts'
import { absent } from './support/system-program.ts'

/** What is typed, the last word unfinished, and some of what is offered, and of what is not. */
const CASES: [typed: string, offered: string[], not: string[]][] = [
  ['ch', ['check'], ['completion']],
  ['-la', ['-last-good'], ['-quiet']],
  ['check -', ['-json', '-offline', '-help'], ['-pidfile']],
  ['completion ', [...SHELLS], ['check']],
  ['-conf Coref', ['Corefile'], ['check']],
  ['check Coref', ['Corefile'], ['other']],
  ['-dns.port ', [], ['check', 'Corefile']],
]

const ASK: Readonly<Record<Exclude<Shell, 'zsh'>, (script: string, words: string[]) => string[]>> = {
  bash: (script, words) => [
    '--noprofile',
    '--norc',
    '-c',
    `source "$0"; COMP_WORDS=(seamark "$@"); COMP_CWORD=$#; _seamark; IFS=$'\\n'; echo "\${COMPREPLY[*]}"`,
    script,
    ...words,
  ],
  fish: (script, words) => [
    '--no-config',
    '-c',
    `source ${script}; complete -C 'seamark ${words.join(' ')}'`,
  ],
}

for (const [shell, command] of Object.entries(ASK)) {
  t.test(shell, { skip: absent(shell) }, async t => {
    const folder = t.testdir({ Corefile: '', other: '' })
    const script = join(folder, 'script')
    writeFileSync(script, completionScript(shell as Shell))
    for (const [typed, offered, not] of CASES) {
      const { stdout } = await run(shell, command(script, typed.split(' ')), {
        cwd: folder,
        env: { ...process.env, HOME: folder },
      })
      const found = stdout.split('\n').map(line => line.split('\t')[0]!)
      for (const word of offered) t.ok(found.includes(word), `${typed}: ${word} among ${found.join(' ')}`)
      for (const word of not) t.notOk(found.includes(word), `${typed}: not ${word}`)
    }
  })
}

/** Types each line into a zsh with a terminal, and the Tab key; prints what it shows, each behind a line `>>> LINE`. */
const ZSH_AT_A_TERMINAL = String.raw`
zmodload zsh/zpty
zpty -b shell 'stty rows 100 cols 200; exec zsh -f -i'
zpty -w shell "PROMPT='ask> '; unsetopt promptsp; autoload -U compinit; compinit -u -D; source ./script; print READY\$((1 + 1))"
zpty -r shell shown '*READY2*ask> *'
for typed in "$@"; do
  number=$((number + 1))
  zpty -w -n shell "seamark $typed"$'\t\C-u'"print END\$(($number))"$'\n'
  zpty -r shell shown "*END$number*ask> *"
  print -r -- ">>> $typed"
  print -r -- $shown
done
zpty -d shell
`

t.test('zsh', { skip: absent('zsh') }, async t => {
  const folder = t.testdir({ script: completionScript('zsh'), Corefile: '', other: '' })
  const typed = CASES.map(([words]) => words)
  const { stdout } = await run('zsh', ['-f', '-c', ZSH_AT_A_TERMINAL, 'zsh', ...typed], {
    cwd: folder,
    env: { ...process.env, TERM: 'xterm' },
  })
  const shown = stdout.replaceAll(/\x1b\[[0-9;?]*[a-zA-Z]|[\r\x07]/g, ' ').split('>>> ')
  t.equal(shown.length, CASES.length + 1)
  for (const [words, offered, not] of CASES) {
    const [, ...lines] = shown.find(text => text.startsWith(`${words}\n`))!.split('\n')
    const found = lines.join('\n').split(/\s+/)
    for (const word of offered) t.ok(found.includes(word), `${words}: ${word} among ${found.join(' ')}`)
    for (const word of not) t.notOk(found.includes(word), `${words}: not ${word}`)
  }
  t.notMatch(stdout, /\\[:[\]]/, 'no sign of what is escaped')
})

t.test('zsh takes the script and knows whose it is', { skip: absent('zsh') }, async t => {
  const folder = t.testdir({ script: completionScript('zsh') })
  const told =
    'autoload -U compinit; compinit -u -D; source ./script; print $_comps[seamark]; whence -w _seamark'
  const { stdout, stderr } = await run('zsh', ['-f', '-c', told], { cwd: folder })
  t.equal(stderr, '')
  t.equal(stdout, '_seamark\n_seamark: function\n')
})
