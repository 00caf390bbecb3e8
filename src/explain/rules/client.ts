// Causes that lie with the client: it asks another resolver, or has no search path.

import { bare, isAbsent, type Rule } from '../case.ts'

/** A Pod with the resolver of its node does not ask here, whatever this server would say. */
export const elsewhere: Rule = ({ asked, transcript, found, resolver, wouldBe }) => {
  if (resolver.asksInstead === '') return undefined
  const name = wouldBe ?? (found ? transcript.name : undefined)
  const who = resolver.asksInstead
  if (name === undefined)
    return {
      cause: `${upperPod(resolver.pod)} asks ${who}, not this server, and what that says of ${bare(asked)} is not known here.`,
      advice: `Ask from there: kubectl exec into the Pod, or give the Pod dnsPolicy: ${policyFor(resolver.isOnHost)}.`,
      resolves: 'untold',
    }
  return {
    cause: `${bare(name)} is a name of the cluster, and ${lowerPod(resolver.pod)} asks ${who}, not this server.`,
    advice: `Give the Pod dnsPolicy: ${policyFor(resolver.isOnHost)}.`,
    resolves: false,
  }
}

const upperPod = (pod: string): string => (pod === '' ? 'This client' : `Pod ${pod}`)
const lowerPod = (pod: string): string => (pod === '' ? 'this client' : `Pod ${pod}`)
const policyFor = (isOnHost: boolean): string => (isOnHost ? 'ClusterFirstWithHostNet' : 'ClusterFirst')

/** The search path that a Pod has by default would have found it. */
export const noSearchPath: Rule = one => {
  const { asked, resolver, wouldBe } = one
  if (wouldBe === undefined || !isAbsent(one)) return undefined
  const has = resolver.search.length === 0 ? 'no search path' : `the search path ${resolver.search.join(' ')}`
  return {
    cause: `${upperPod(resolver.pod)} has ${has}, by which ${asked} is not ${bare(wouldBe)}.`,
    advice: `Ask for ${bare(wouldBe)}, or give the Pod a dnsConfig with that search path (dnsPolicy ClusterFirst has it).`,
  }
}
