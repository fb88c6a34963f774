import type { Instance, Settings } from './options.ts'

/** Instances that are asked in turn where the one that a token names refuses: any of them answers 404. */
const STAND_INS = 3
/** No instance's group has this name: theirs have no underscores. */
const NEW_STREAMS = 'sluice_new_streams'
const WORDS_OF_MAP = ['default', 'include', 'hostnames', 'volatile']

/** The groups of gateways that a request can go to: all of them, for one thing or another, and each by itself. */
export function upstreams({ instances, resolver, form }: Settings): string {
  const resolves = resolver.length > 0
  const server = ({ address }: Instance, parameters: string) =>
    `        server ${address} ${parameters}${resolves && isHostName(address) ? ' resolve' : ''};\n`
  const all = instances.map((instance) => server(instance, 'max_fails=1 fail_timeout=10s'))
  // One alone is never left alone, and would only be asked twice.
  const again = instances.length > 1 ? instances.map((instance) => server(instance, 'max_fails=0 backup')) : []
  const noKeepalive = form.keepsConnections ? '        keepalive 0;\n' : ''
  const each = instances.map((instance, i) => {
    const others = [...instances.slice(i + 1), ...instances.slice(0, i)].slice(0, STAND_INS)
    const standIns = others.map((other) => server(other, 'max_fails=0 backup'))
    const zone = resolves ? `        zone sluice_${instance.name} 64k;\n` : ''
    return `    upstream sluice_${instance.name} {
${zone}${server(instance, 'max_fails=0')}${standIns.join('')}${noKeepalive}    }`
  })
  return `    # Every instance. Not round robin, which would leave a restarted instance empty; counted over all workers (zone).
    # One that failed is left alone for 10 s, so that a frozen one holds one request in 10 s, not a share of all of them.
    # Where every instance has failed lately (a quick rolling restart, a burst of connects), the marks are worth nothing:
    # then each is tried as it is (backup), and only if none of them takes the connection, it is 502.
    # ${form.keepsConnections ? 'No connection is kept ("keepalive 0")' : 'There is no "keepalive"'}: a request on a kept connection that a drain is closing fails after it was sent, and
    # then a POST could not be passed on. A connect that is refused always can.
    upstream sluice {
        zone sluice 256k;
        least_conn;
${[...all, ...again].join('')}${noKeepalive}    }

    # Every instance, for a PUT: in turn. The streams that these lead to count below, not here, so that least_conn would
    # give nearly all of them to whichever instance has the fewest streams of other kinds.
    upstream ${NEW_STREAMS} {
        zone ${NEW_STREAMS} 256k;
${[...all, ...again].join('')}${noKeepalive}    }

    # Each instance by itself, for the streams of single connection mode that it holds. If it is gone, so are they:
    # another one says so, with 404.
${each.join('\n')}
`
}

/** What DNS is asked for: neither an address nor a socket. */
const isHostName = (address: string): boolean => /^(?!unix:)[a-z0-9.-]*[a-z]/i.test(address)

/** From a stream's token to one of these groups. */
export function routes(instances: readonly Instance[]): string {
  const width = Math.max(...instances.map(({ name }) => name.length), 'new_streams'.length) + 1
  const rows = instances.map(({ name }) => `        ${asKey(name).padEnd(width + 1)}sluice_${name};`)
  return `    # Single connection mode: a stream's token is INSTANCE.RANDOM, from the header, else from the query. A name may have
    # dots, RANDOM has none: the last dot is between them. $arg_token is as it came: one with percent signs matches
    # nothing here (a token needs none), and is answered 404 like a wrong one. If both are there and differ, any
    # instance answers 400.
    map_hash_bucket_size 256; # for names of 63 characters
    map $http_x_graphql_event_stream_token $sluice_token {
        default $http_x_graphql_event_stream_token;
        ""      $arg_token;
    }
    # A PUT asks for a new stream, on any instance, whatever token it carries.
    map "$request_method $sluice_token" $sluice_named {
        default "";
        "~^PUT " new_streams;
        "~^[A-Z]+ (?<sluice_name>[a-z0-9.-]{1,63})\\.[A-Za-z0-9_-]{1,128}$" $sluice_name;
    }
    # Only these names lead anywhere: a token never chooses a host.
    map $sluice_named $sluice_upstream {
        ${'default'.padEnd(width + 1)}sluice;
        ${'new_streams'.padEnd(width + 1)}${NEW_STREAMS};
${rows.join('\n')}
    }
`
}

/** Words that mean something to a map are escaped. Only they: of `\tcp` Nginx would make a tab and "cp". */
const asKey = (name: string): string => (WORDS_OF_MAP.includes(name) ? `\\${name}` : name)
