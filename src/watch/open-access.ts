// The way to the API server that the configuration asks for.

import type { Clock } from '../shared/clock.ts'
import { type ApiAccess, type ApiLocation, endpointAccess, inClusterAccess } from './access.ts'

/**
 * Opens the access that the configuration asks for. What reads kubeconfigs is loaded for one only.
 * Rejects with an ApiError `credentials` for what can never work: no cluster, no such file or context, no URL.
 */
export async function openAccess(location: ApiLocation, clock: Clock): Promise<ApiAccess> {
  if (location.from === 'in-cluster') return inClusterAccess()
  if (location.from === 'endpoint') return endpointAccess(location)
  const { kubeconfigAccess } = await import('./kubeconfig.ts')
  return kubeconfigAccess(location.file, location.context, { clock })
}
