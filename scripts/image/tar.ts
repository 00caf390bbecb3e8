// Archives as an image's layers are: entries in memory ↔ the octets of a tar file. What is written depends on nothing but the
// entries: sorted, owned by root, all of one time. What is read is what `dpkg-deb` and npm write.

const BLOCK = 512
/** Fields of a header: their first octet and length. */
const FIELD = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  link: [157, 100],
  magic: [257, 8],
  prefix: [345, 155],
} as const
const NAME_MAX = 100
const TYPES = { file: '0', link: '2', folder: '5' } as const

/** A file, a symbolic link or a folder. */
export interface Entry {
  /** From the root, without a slash before or behind. */
  readonly path: string
  readonly kind: keyof typeof TYPES
  /** Permission bits; a link has none. */
  readonly mode: number
  /** Of a file. */
  readonly content?: Buffer
  /** Where a link leads. */
  readonly target?: string
  /** The value of the extended attribute `security.capability`. */
  readonly capability?: Buffer
}

/** The archive of these entries and of the folders that they lie in, all of that time. */
export function writeTar(entries: readonly Entry[], mtimeSeconds: number): Buffer {
  const blocks: Buffer[] = []
  for (const entry of withFolders(entries)) {
    const path = entry.kind === 'folder' ? `${entry.path}/` : entry.path
    const records = Buffer.concat([
      ...(Buffer.byteLength(path) > NAME_MAX ? [record('path', Buffer.from(path))] : []),
      ...(entry.capability ? [record('SCHILY.xattr.security.capability', entry.capability)] : []),
    ])
    if (records.length > 0)
      blocks.push(header('pax', 'x', 0o644, records.length, mtimeSeconds), padded(records))
    const content = entry.content ?? Buffer.alloc(0)
    const mode = entry.kind === 'link' ? 0o777 : entry.mode
    blocks.push(
      header(path, TYPES[entry.kind], mode, content.length, mtimeSeconds, entry.target),
      padded(content),
    )
  }
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)])
}

/** Sorted by path, each behind the folders that it lies in. */
export function withFolders(entries: readonly Entry[]): Entry[] {
  const all = new Map<string, Entry>()
  for (const { path } of entries)
    for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1))
      all.set(path.slice(0, at), { path: path.slice(0, at), kind: 'folder', mode: 0o755 })
  for (const entry of entries) all.set(entry.path, entry)
  return [...all.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** A line of an extended header: its own length, a key, octets. */
function record(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')])
  let length = rest.length
  while (rest.length + String(length).length !== length) length = rest.length + String(length).length
  return Buffer.concat([Buffer.from(String(length)), rest])
}

function padded(content: Buffer): Buffer {
  const rest = content.length % BLOCK
  return rest === 0 ? content : Buffer.concat([content, Buffer.alloc(BLOCK - rest)])
}

function header(path: string, type: string, mode: number, size: number, mtime: number, link = ''): Buffer {
  const block = Buffer.alloc(BLOCK)
  const put = ([at, length]: readonly [number, number], text: string): void =>
    void block.write(text, at, length, 'utf8')
  const octal = (field: readonly [number, number], value: number): void =>
    put(field, `${value.toString(8).padStart(field[1] - 1, '0')}\0`)
  put(FIELD.name, Buffer.from(path).subarray(0, NAME_MAX).toString())
  octal(FIELD.mode, mode)
  octal(FIELD.uid, 0)
  octal(FIELD.gid, 0)
  octal(FIELD.size, size)
  octal(FIELD.mtime, mtime)
  put(FIELD.type, type)
  if (Buffer.byteLength(link) > NAME_MAX) throw new RangeError(`the link ${path} leads too far: ${link}`)
  put(FIELD.link, link)
  put(FIELD.magic, 'ustar\x0000')
  put(FIELD.checksum, ' '.repeat(FIELD.checksum[1]))
  const sum = block.reduce((total, octet) => total + octet, 0)
  put(FIELD.checksum, `${sum.toString(8).padStart(6, '0')}\0 `)
  return block
}

/** The files, links and folders of an archive. */
export function readTar(octets: Buffer): Entry[] {
  const entries: Entry[] = []
  let long: string | undefined
  for (let at = 0; at + BLOCK <= octets.length && octets[at] !== 0; ) {
    const text = ([from, length]: readonly [number, number]): string =>
      octets
        .subarray(at + from, at + from + length)
        .toString('utf8')
        .replace(/\0.*$/s, '')
    const size = Number.parseInt(text(FIELD.size), 8)
    const content = octets.subarray(at + BLOCK, at + BLOCK + size)
    const type = text(FIELD.type)
    const prefix = text(FIELD.magic).startsWith('ustar ') ? '' : text(FIELD.prefix)
    const path = long ?? (prefix === '' ? text(FIELD.name) : `${prefix}/${text(FIELD.name)}`)
    const kind = (Object.keys(TYPES) as (keyof typeof TYPES)[]).find(each => TYPES[each] === (type || '0'))
    long = undefined
    if (type === 'L') long = content.toString('utf8').replace(/\0+$/, '')
    else if (type === 'x') long = /\d+ path=([^\n]*)\n/.exec(content.toString('utf8'))?.[1]
    if (kind !== undefined)
      entries.push({
        path: path.replace(/^\.?\//, '').replace(/\/$/, ''),
        kind,
        mode: Number.parseInt(text(FIELD.mode), 8) & 0o7777,
        ...(kind === 'file' ? { content } : {}),
        ...(kind === 'link' ? { target: text(FIELD.link) } : {}),
      })
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK
  }
  return entries
}
