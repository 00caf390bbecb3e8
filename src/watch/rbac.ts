// What a ClusterRole has to allow.

import type { Resource } from '../objects/kinds.ts'

/** What to add to the ClusterRole so that the resource can be read, as one line of YAML. */
export function rbacRule(resource: Resource): string {
  return `{apiGroups: ["${resource.group}"], resources: ["${resource.name}"], verbs: ["list", "watch"]}`
}
