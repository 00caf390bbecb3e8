// Where the serving threads' program lies: beside this one, as TypeScript from source and as one file in the bundle.

/** The entry of a serving thread. */
export const serveEntry = (): URL =>
  import.meta.url.endsWith('.ts')
    ? new URL('../serving/thread.ts', import.meta.url)
    : new URL('./serve.mjs', import.meta.url)
