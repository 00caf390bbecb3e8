// The platforms that the image is made for, under each one's names for them.

export interface Platform {
  /** As OCI and Debian call it. */
  readonly arch: 'amd64' | 'arm64'
  readonly variant?: string
  /** As Node and npm call it. */
  readonly npm: string
  /** The folder of Debian's libraries. */
  readonly triplet: string
}

export const PLATFORMS: readonly Platform[] = [
  { arch: 'amd64', npm: 'x64', triplet: 'x86_64-linux-gnu' },
  { arch: 'arm64', variant: 'v8', npm: 'arm64', triplet: 'aarch64-linux-gnu' },
]

/** @throws RangeError for one that there is none of */
export function platformNamed(arch: string): Platform {
  const found = PLATFORMS.find(each => each.arch === arch)
  if (found === undefined)
    throw new RangeError(`no image for ${arch}: there are ${PLATFORMS.map(({ arch }) => arch).join(' and ')}`)
  return found
}
