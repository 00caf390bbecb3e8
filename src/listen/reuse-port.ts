// Whether several sockets may share a port with the kernel spreading the load (SO_REUSEPORT as Linux means
// it). Where they may not, one serving thread listens alone: a second one gets EADDRINUSE.

const PLATFORMS: readonly string[] = ['linux', 'freebsd', 'dragonfly', 'sunos', 'aix']

/** Whether this system has it. */
export const REUSE_PORT: boolean = PLATFORMS.includes(process.platform)
