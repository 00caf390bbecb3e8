// The rows, by the file that tries them: what a DNS server has to survive and to answer, named once. Words in braces stand for
// one row each. The first part are the checks of ISC's genreport; ids of Seamark's own are below `further rows`.

const LIST = `
rfc1034-cname-ptr      cname.{a,cname,aaaa,inside} ptr ptr.{a,nx,case}
rfc1035-header         isc.{dns,tcp} hdr.{positive,rd0,id0,id65535} hdr.qr1 hdr.qr1.{notimp,garbage}
                       hdr.short{0,1,2,3,4,8,11} hdr.cut{1,2,4,5,9} hdr.headonly hdr.extra.{an,ns,ar} hdr.trailing
rfc1035-names          name.{label63,len255,labels,len256,len300,type40,type80,overrun}
rfc2136-update         op.{notify,update,update.effect}
rfc2181-names          name.{lookalike,dotlabel,dotlabel.zone,backslash,escape,nul,nul.end,space}
                       name.js.{__proto__,constructor,then,length,prototype,toString,valueOf,hasOwnProperty,__defineGetter__,undefined,null,NaN,toJSON}
rfc2181-truncation     trunc.{512,edns100,edns512,edns600,edns65535,tcp}
rfc2308-negative       neg.{nx,nodata,nxedns,aaaa,HTTPS,SVCB,TXT,TYPE65300}
rfc2782-srv            srv
rfc4343-case           name.{0x20,upper,0x20nx,8bit,8bit.folded,kelvin,ctl}
rfc4592-wildcards      name.{star,any,underscore,below}
rfc5625-forwarding     fwd.{name,case,edns,ttl,nx,oversize,chain,loop,down}
rfc5936-transfer       xfr.axfr.{udp,tcp} xfr.ixfr
rfc6891-edns           isc.{edns,edns1,edns@512,ednsopt,edns1opt,do,docd,edns1do,ednsflags,optlist,ednstcp,bind11,dig11}
                       isc.{ednsexpire,edns1expire}
                       edns.{two,owner,rdlen,optlen,opthalf,inanswer,notlast,many,bigopt,ext,flags}
                       edns.size{0,1,511,512,1232,4096,65535} edns.{v2,v255,v1tcp,ad,absent,error}
rfc6895-types          isc.type666 type.{TYPES} meta.{OPT,TKEY,TSIG,MAILA,MAILB,0,65535} class.{CH,HS,CS,NONE,ANY,0,65280}
rfc7766-tcp            tcp.{pipe2,pipe50,pipe400,reuse,bytes,splitlen,half,halfclose,goodbad}
rfc7828-keepalive      keepalive.{udp,tcp,bad}
rfc7830-other-options  padding chain
rfc7871-ecs            isc.{ednssubnet,edns1subnet} ecs.{v4,v6,zero,scope,family,bits}
rfc7873-cookies        isc.{ednscookie,edns1cookie} cookie.len{0,1,7,9,15,41} cookie.bogus
                       cookie.{whole,again,other,two,class,forwarded,alone,alone.bad}
rfc5001-nsid           isc.{ednsnsid,edns1nsid} nsid
rfc8020-nxdomain       neg.nxall.{A,AAAA,SRV,TXT,MX,NS,CNAME,PTR,HTTPS,ANY} neg.belownx neg.ent
rfc8482-any            auth.{ns,any,anynx}
rfc8490-dso            op.dso
rfc8906-no-response    isc.{aa,ad,cd,ra,rd,tc,zflag,opcode,opcodeflg,dnswkk} hdr.{tcflag,flags}
                       op.{iquery,status,3,7,8,9,10,11,12,13,14,15,tcp9}
rfc8914-extended-error ede
rfc9210-tcp-abuse      tcp.{len0,len0twice,len11,lenmax,lenmax.cut,short,http,tls,reset,noread,slow}
rfc9267-parsing        hdr.count.{an,ns,ar} hdr.allcounts name.ptr.{self,forward,header,outside,loop,cut,chain}
rfc9619-qdcount        hdr.{qd0,qd2,qd2same}
load                   load.{glibc,dup,burst,tcp,gone}
`

/** The types of genreport's type report, and five later ones. */
export const PROBED_TYPES: Readonly<Record<string, number>> = {
  A: 1, NS: 2, MD: 3, MF: 4, CNAME: 5, SOA: 6, MB: 7, MG: 8, MR: 9, NULL: 10, WKS: 11, PTR: 12, HINFO: 13, MINFO: 14,
  MX: 15, TXT: 16, RP: 17, AFSDB: 18, X25: 19, ISDN: 20, RT: 21, NSAP: 22, 'NSAP-PTR': 23, SIG: 24, KEY: 25, PX: 26,
  GPOS: 27, AAAA: 28, LOC: 29, NXT: 30, SRV: 33, NAPTR: 35, KX: 36, CERT: 37, A6: 38, DNAME: 39, APL: 42, DS: 43,
  SSHFP: 44, IPSECKEY: 45, RRSIG: 46, NSEC: 47, DNSKEY: 48, DHCID: 49, NSEC3: 50, NSEC3PARAM: 51, TLSA: 52, SMIMEA: 53,
  HIP: 55, CDS: 59, CDNSKEY: 60, OPENPGPKEY: 61, SPF: 99, NID: 104, L32: 105, L64: 106, LP: 107, EUI48: 108, EUI64: 109,
  URI: 256, CAA: 257, AVC: 258, DOA: 259, DLV: 32769, TYPE1000: 1000, CSYNC: 62, ZONEMD: 63, SVCB: 64, HTTPS: 65,
  TYPE65280: 65280,
} // biome-ignore format: a table

const files = new Map<string, string[]>()
let file = ''
for (const line of LIST.trim().split('\n')) {
  const [first = '', ...words] = line.startsWith(' ')
    ? [file, ...line.trim().split(/\s+/)]
    : line.split(/\s+/)
  file = first
  files.set(file, [...(files.get(file) ?? []), ...words.flatMap(expand)])
}

function expand(word: string): string[] {
  const [, head = word, list, tail = ''] = /^(.*?)\{(.*?)\}(.*)$/.exec(word) ?? []
  if (list === undefined) return [word]
  const parts = list === 'TYPES' ? Object.keys(PROBED_TYPES) : list.split(',')
  return parts.map(part => `${head}${part}${tail}`)
}

/** The ids by file, without `.test.ts`. */
export const IDS: ReadonlyMap<string, readonly string[]> = files

/** The ids that a file has to try. Throws for a file that is not listed. */
export function idsOf(name: string): readonly string[] {
  const ids = files.get(name)
  if (!ids) throw new RangeError(`ids.ts does not list ${name}`)
  return ids
}
