import type { Settings } from './options.ts'
import { time } from './time.ts'

/** Heartbeats that may fail to come before an instance is taken for frozen. */
const MISSED_HEARTBEATS = 3
/** When a client that Nginx has refused should come back. */
const RETRY_AFTER_S = 5

/** What the server's own answers are made of. */
export function answersOfNginx(corsOrigins: readonly string[]): string {
  const listed = corsOrigins.filter((origin) => origin !== '*')
  const map = (anybody: string, value: string): string =>
    [`default "${anybody}";`, ...listed.map((origin) => `"${origin}" ${value};`)]
      .map((row) => `        ${row}`)
      .join('\n')
  const credentials = `    # Credentials are for those that are named; a header without a value is not sent.
    map $http_origin $sluice_credentials {
${map('', '"true"')}
    }
`
  return `    # The few answers that are not a gateway's have its CORS policy too.
    map $http_origin $sluice_origin {
${map(corsOrigins.includes('*') ? '*' : '', '$http_origin')}
    }
${listed.length > 0 ? credentials : ''}    # A browser's EventSource, which sends nothing else: it gives up for good at any status but 200, so where others get
    # an error it is told when to come back.
    map "$request_method $http_accept $http_x_graphql_event_stream_token" $sluice_client {
        default "others";
        "GET text/event-stream " "event_source";
    }
    split_clients $request_id $sluice_retry_ms {
        20% 2000;
        20% 3000;
        20% 4000;
        20% 5000;
        *   6000;
    }
`
}

/** The server that clients reach. */
export function server(settings: Settings): string {
  const { listen, certificate, certificateKey, form } = settings
  const http2 = form.hasHttp2Directive ? '' : ' http2'
  return `    server {
        # Each worker has a queue of its own (reuseport), so that they fill evenly.
${listen.map((address) => `        listen ${address} ssl${http2} reuseport backlog=4096;\n`).join('')}${form.hasHttp2Directive ? '        http2 on;\n' : ''}        ssl_certificate ${certificate};
        ssl_certificate_key ${certificateKey};
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_session_cache shared:sluice_tls:20m; # some 80,000 sessions: a restart's reconnects are resumed
        ssl_session_timeout 1h;
        ssl_session_tickets off;
        ssl_buffer_size 4k; # kept for each connection while it writes; frames are small

        http2_max_concurrent_streams 128; # subscriptions of one browser page; the next waits
        keepalive_timeout 60s; # connections that nothing runs on
        client_header_timeout 15s;
        client_body_timeout 15s;
        send_timeout 30s; # a client that takes nothing: the gateways give up at 30 s as well
        reset_timedout_connection on; # so that what was not taken is not kept by the kernel

        client_max_body_size 256k; # a gateway takes no more, and its refusal could be lost while the body is still coming
        client_body_buffer_size 16k; # operations are texts of a few kilobytes; longer ones go to a file
        large_client_header_buffers 4 16k; # a GET's query, variables and cursor; Node takes no more either

        gzip on;
        gzip_types application/json application/graphql-response+json; # not text/event-stream: frames are small
        gzip_proxied any;
        gzip_vary on;

${graphql(settings)}
${pages(settings)}
${ownAnswers(settings)}    }
`
}

function graphql({ logs, streamsPerWorker, streamsPerAddress, heartbeatMs, hstsSeconds }: Settings): string {
  const buffers = Math.ceil((streamsPerWorker * 8) / 1024)
  const silence = MISSED_HEARTBEATS * heartbeatMs
  return `        # Operations, and tickets for them.
        location ~ ^/(?:graphql|ticket)$ {
            limit_conn sluice_addresses ${streamsPerAddress};

            # What goes wrong with an upstream is logged with the query string, which cannot be changed, unless it is
            # not logged at all. The access log has it without.
            error_log ${logs}/error.log alert;

            proxy_pass http://$sluice_upstream;
${FORWARDED}
            proxy_buffering off; # every frame at once
            proxy_buffer_size 8k; # kept for each stream: ${streamsPerWorker} x 8 KiB = ${buffers} MiB a worker
            proxy_socket_keepalive on;

            # A lost SYN is sent again after 1 s, so one may be lost. A unix socket answers at once.
            proxy_connect_timeout 2s;
            proxy_send_timeout 15s;
            # ${MISSED_HEARTBEATS} heartbeats: so long may an open stream be silent. A gateway answers a new request in milliseconds, but
            # Nginx has one limit for both: so this is also how long a frozen instance can hold a new request.
            proxy_read_timeout ${time(silence)};

            # A request goes to another instance if the connect failed; also if it was sent and no answer came, unless
            # it is a POST: a mutation is never sent twice (no "non_idempotent"). An answer is never passed over.
            proxy_next_upstream error timeout;
            # After one frozen instance there is time for another, but not for a third.
            proxy_next_upstream_timeout ${time(Math.round((silence * 4) / 3))};

${strictTransport(hstsSeconds)
  .map(
    (line) => `            ${line}
`,
  )
  .join('')}            error_page 413 = @too_large;
            error_page 429 = @busy_$sluice_client;
            error_page 502 = @down_$sluice_client;
            error_page 504 = @silent_$sluice_client;
        }
`
}

/** Of every request that goes to a gateway. */
const FORWARDED = `            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            # Set, not appended to: what a client says of itself does not reach the gateways (TRUSTED_PROXIES).
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $http_host;
            proxy_set_header X-Real-IP "";
            proxy_set_header Forwarded "";
`

/** Documents and files for browsers, where the gateways serve any (LIVE_MAP, GRAPHIQL). */
function pages({ streamsPerAddress, hstsSeconds }: Settings): string {
  const transport = strictTransport(hstsSeconds).map((line) => `            ${line}\n`)
  return `        # Pages, and the files of which they are made. They are compressed, and say how long they may be cached.
        location ~ ^/(?:$|assets/|graphiql/|favicon\\.) {
            limit_conn sluice_addresses ${streamsPerAddress};
            proxy_pass http://sluice;
${FORWARDED}
            proxy_connect_timeout 2s;
            proxy_send_timeout 15s;
            proxy_read_timeout 15s; # a gateway has them in memory
            proxy_next_upstream error timeout;
            proxy_next_upstream_timeout 20s;

${transport.join('')}            error_page 429 = @busy_others;
            error_page 502 = @down_others;
            error_page 504 = @silent_others;
        }
`
}

/** A location with an add_header of its own inherits none: so each has it. */
function strictTransport(seconds: number): string[] {
  return seconds === 0 ? [] : [`add_header Strict-Transport-Security "max-age=${seconds}" always;`]
}

/** What Nginx says by itself, in the form in which the gateways say it. */
function ownAnswers({ corsOrigins, hstsSeconds }: Settings): string {
  const isListed = corsOrigins.some((origin) => origin !== '*')
  const headers = [
    'add_header Access-Control-Allow-Origin $sluice_origin always;',
    'add_header Access-Control-Expose-Headers "Retry-After, X-Request-Id" always;',
    ...(isListed
      ? ['add_header Access-Control-Allow-Credentials $sluice_credentials always;', 'add_header Vary Origin always;']
      : []),
    'add_header Cache-Control no-store always;',
    'add_header X-Content-Type-Options nosniff always;',
    ...strictTransport(hstsSeconds),
  ]
  const location = (name: string, ...lines: string[]) =>
    `        location ${name} {\n${[...headers, ...lines].map((line) => `            ${line}\n`).join('')}        }\n`
  const error = (status: number, code: string, message: string) =>
    `return ${status} '{"errors":[{"message":"${message}","extensions":{"code":"${code}"}}]}';`
  const later = `add_header Retry-After ${RETRY_AFTER_S} always;`
  const comeBack = ['default_type text/event-stream;', 'return 200 "retry: $sluice_retry_ms\\n\\n";']
  return [
    location('@too_large', error(413, 'BODY_TOO_LARGE', 'The request body is too large')),
    location('@busy_others', later, error(429, 'TOO_MANY_STREAMS', 'This address has too many open requests')),
    location('@down_others', later, error(502, 'NOT_READY', 'No gateway can be reached')),
    location('@silent_others', later, error(504, 'NOT_READY', 'The gateway did not answer in time')),
    ...['busy', 'down', 'silent'].map((what) => location(`@${what}_event_source`, ...comeBack)),
    `\n        # Nothing else is to be had, above all not the admin port.\n`,
    location('/', error(404, 'NOT_FOUND', 'There is nothing at this path: GraphQL is at /graphql')),
  ].join('')
}
