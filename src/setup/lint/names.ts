// Rules about names and types that do another thing than their writers expect.

import { placeText } from '../../corefile/token.ts'
import { type Lint, option, overlap } from './blocks.ts'

/** NXDOMAIN for AAAA says that the name has no A record either. */
export const aaaaDenied: Lint = (block, _all, problems) => {
  for (const directive of block.all('template')) {
    if (directive.args[1]?.text.toUpperCase() !== 'AAAA') continue
    const rcode = option(directive, 'rcode')
    if (rcode?.args[0]?.text.toUpperCase() !== 'NXDOMAIN') continue
    const message =
      'NXDOMAIN for AAAA denies the name for every type, and clients stop asking for A; write rcode NOERROR'
    problems.warning(rcode.word, message)
  }
}

/** AAAA turned into A. */
export const aaaaRewritten: Lint = (block, _all, problems) => {
  for (const { word, args } of block.all('rewrite')) {
    const [field, from, to] = args
      .map(({ text }) => text)
      .filter(text => !['stop', 'continue'].includes(text))
    if (field !== 'type' || from?.toUpperCase() !== 'AAAA' || to?.toUpperCase() !== 'A') continue
    const message =
      'who asks for AAAA gets an A record that it did not ask for; a template IN AAAA with rcode NOERROR answers without addresses'
    problems.warning(word, message)
  }
}

/** `log stdout` and `errors` look alike: what stands behind `log` is a name. */
export const logOfPlace: Lint = (block, _all, problems) => {
  for (const { args } of block.all('log')) {
    const [zone] = args
    if (zone === undefined || !/^std(?:out|err)$/i.test(zone.text)) continue
    const message =
      'queries for names below this one are logged, and no others; log alone logs all of them to stdout'
    problems.warning(zone, message, { found: zone.text })
  }
}

/** `acl` stands behind `rewrite` in the chain. */
export const aclAfterRewrite: Lint = (block, _all, problems) => {
  const [acl] = block.all('acl')
  const rewrite = block
    .all('rewrite')
    .find(({ args }) => args.slice(0, 2).some(({ text }) => text === 'name'))
  if (!acl || !rewrite) return
  const message = `acl sees the name that rewrite at ${placeText(rewrite.word)} makes, not the one that was asked for`
  problems.warning(acl.word, message)
}

/** Another door to the zone of an `acl`. */
export const aclElsewhere: Lint = (block, all, problems) => {
  for (const directive of block.all('acl')) {
    for (const { zone } of block.zonesOf(directive)) {
      const own = block.served.filter(served => overlap(served.zone, zone))
      const doors = all.filter(other => other !== block && !other.has('acl')).flatMap(other => other.served)
      const door = doors.find(
        served => overlap(served.zone, zone) && own.some(each => overlap(each.zone, served.zone)),
      )
      if (!door) continue
      const message = `the server block at ${placeText(door.token)} serves names of ${zone} without any acl`
      problems.warning(directive.word, message)
      break
    }
  }
}
