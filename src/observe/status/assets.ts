// What the live page loads, all of it from here: its style, and the script that replaces its parts as events come.

export const STATUS_STYLE = `:root { color-scheme: light dark; --line: light-dark(#d5d9de, #3a4048); --quiet: light-dark(#57606a, #9aa4af); --ink: light-dark(#1b1f24, #e6eaee); --paper: light-dark(#fff, #14171a); --accent: light-dark(#0b5cad, #6cb2ff); }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1rem; max-width: 76rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper) }
h1 { margin: 0; font-size: 1.4rem }
h2 { margin: 0 0 .5rem; font-size: 1.05rem }
header p, .about { margin: 0 0 .75rem; color: var(--quiet); font-size: .9rem }
main { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)) }
section { min-width: 0 }
.whole { grid-column: 1 / -1 }
dl { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); margin: 0 }
dt { color: var(--quiet); font-size: .85rem }
dd { margin: 0; font-size: 1.3rem; font-variant-numeric: tabular-nums }
.wide { overflow-x: auto }
table { width: 100%; border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap }
th:first-child { min-width: 9rem; text-align: left; font-weight: 400; white-space: normal; overflow-wrap: anywhere }
thead th { color: var(--quiet); font-weight: 400 }
ul { margin: 0; padding-left: 1.2rem; overflow-wrap: anywhere }
section p { margin: 0 }
form { display: grid; gap: .25rem .5rem; grid-template-columns: auto 1fr; align-items: center }
input, button { padding: .4rem .6rem; font: inherit; color: inherit; background: transparent; border: 1px solid var(--quiet); border-radius: .3rem; min-width: 0 }
button { grid-column: 2; justify-self: start; border-color: var(--accent); color: var(--accent); cursor: pointer }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
pre { margin: .75rem 0 0; padding: .75rem; border: 1px solid var(--line); border-radius: .3rem; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .85rem }
`

export const STATUS_SCRIPT = `'use strict'
const state = document.getElementById('state')
const source = new EventSource('/status/events')
source.onmessage = event => {
  for (const [id, html] of Object.entries(JSON.parse(event.data))) {
    const element = document.getElementById(id)
    if (element && element.innerHTML !== html) element.innerHTML = html
  }
  if (state.textContent !== 'live') state.textContent = 'live'
}
source.onerror = () => { state.textContent = 'the server does not answer: the figures are old' }
`
