// What the command line says of itself: every command and option in the help and in the manual page, in lines that a terminal
// holds, and the manual page as man reads it.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { COMMANDS, HELP } from '../src/commands.ts'
import { parseFlags } from '../src/flags.ts'
import { helpAbout, manualPage, usageAfterMistake } from '../src/help.ts'
import { run } from './packaging/bundle.ts'
import { absent } from './support/system-program.ts'

t.test('the table of commands', async t => {
  t.equal(COMMANDS[0]?.name, '', 'the server comes first')
  const valued = new Map<string, boolean>()
  for (const { name: command, options, examples } of COMMANDS) {
    t.ok(examples.length > 0, `${command} has an example`)
    const names = [...options, HELP].flatMap(({ name, also }) => [name, ...(also ? [also] : [])])
    t.equal(new Set(names).size, names.length, `${command}: each name once`)
    for (const { name, value } of options) {
      t.equal(
        valued.get(name) ?? value !== undefined,
        value !== undefined,
        `${name}: a value always or never`,
      )
      valued.set(name, value !== undefined)
    }
  }
})

t.test('the help of each command names all its options', async t => {
  for (const { name: command, options, about } of COMMANDS) {
    const help = helpAbout(command)
    for (const { name, also, value } of [...options, HELP])
      for (const each of [name, ...(also ? [also] : [])])
        t.match(help, value ? `-${each} ${value}` : `-${each}`, `${command} -${each}`)
    for (const line of help.split('\n')) t.ok(line.length <= 100, line)
    t.ok(help.endsWith('\n') && !help.endsWith('\n\n'), 'ends with its last line')
    if (command === '') continue
    t.match(helpAbout(''), `  ${command} `, 'and that of the server names it')
    t.match(helpAbout(''), about.slice(0, 40))
    t.match(usageAfterMistake(), `seamark ${command} `)
    t.match(parseFlags([command, '-h']), { command: 'help', about: command })
  }
})

t.test('examples are command lines that are taken', async t => {
  for (const [line] of COMMANDS.flatMap(({ examples }) => examples))
    for (const part of line.split(/[|()]/).map(part => part.trim()))
      if (part.startsWith('seamark ')) t.not(parseFlags(part.split(' ').slice(1)).command, 'error', part)
})

t.test('man shows the manual page', { skip: absent('man') }, async t => {
  const page = join(t.testdir({}), 'seamark.1')
  writeFileSync(page, manualPage('1.2.3'))
  const { stdout, stderr } = await run('man', ['--warnings', '-l', page], {
    env: { ...process.env, MANPAGER: 'cat', MANWIDTH: '200', LC_ALL: 'C.UTF-8' },
  })
  t.equal(stderr, '', 'nothing to warn of')
  const text = stdout.replace(/.\x08/g, '')
  t.match(text, /Seamark 1\.2\.3/)
  for (const { name, options } of COMMANDS) {
    t.match(text, `seamark${name === '' ? '' : ` ${name}`} [OPTION`)
    for (const option of options) t.match(text, new RegExp(`^ +-${option.name}\\b`, 'm'))
  }
})
